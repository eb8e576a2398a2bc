// The browser's side of movie_player.py. Pictures are drawn on one layer, which the gain's CSS
// filter stretches, and everything else on a second one above it; only rows in view have canvases.
// Lengths called `dev` are whole device pixels, so that a sheet pixel is always a whole square.

const PICTURE = 28; // sheet pixels, as is the next one
const BETWEEN = 2; // columns of a block
const EDGE = 8; // room for a block's ring, CSS pixels, as are all the next
const GAP = 20; // between two blocks of a row, at least, and
const STRETCH = 96; // at most
const HEADS = 22;
const NAME = 26; // a block's line of text
const BARS = 21; // between its two rows
const CHART = 62; // under a pinned block
const FOOT = 14;
const AHEAD = 150; // rows this far out of view are drawn too
const THUMB = 7; // half a slider's thumb: where its travel begins
const FONT = 12;
const SMALL = 10;

const PER_SECOND = 60; // batches at 1x: LeNet's five epochs, some 2,700 batches, take 45 s
const KEPT = 8; // decoded frames: two sheets of 4 MB each
const PATHS = { play: "M4 2v12l10-6z", pause: "M3 2h4v12H3zM9 2h4v12H9z" };

const instances = new WeakMap();
const grouped = new Intl.NumberFormat("en");

// Streamlit calls this again at every change of data or theme, and may call a run's cleanup after the
// next run began, so only the newest run's cleanup counts.
export default function ({ data, parentElement, setStateValue }) {
  const inst = mount(parentElement);
  const run = ++inst.runs;
  inst.send = setStateValue;
  receive(inst, data);
  return () => {
    if (inst.runs === run) unmount(inst, parentElement);
  };
}

function mount(root) {
  const old = instances.get(root);
  const grid = root.querySelector(".grid");
  if (old && old.grid === grid) return old;
  if (old) unmount(old, root);
  const find = (name) => root.querySelector(name);
  const inst = {
    root, grid, runs: 0, listeners: new AbortController(),
    player: find(".player"), box: find(".box"), ruler: find(".ruler"), heads: find(".heads"),
    pictures: find(".pictures"), marks: find(".marks"), hover: find(".hovered"),
    option: find(".active"), problem: find(".problem"), loss: find(".loss"), ticks: find(".ticks"),
    bars: find(".bars"), scrub: find(".scrub"), play: find(".play"), speed: find(".speed"),
    gain: find(".gain"), gained: find(".gained"), readout: find(".readout"), worst: find(".worst"),
    head: null, film: null, pins: [], given: "", turn: 0, // what is pinned, and what Python last gave
    at: 0, direction: 1, stepping: false, playing: false, clock: null, waiting: 0, // `at` is a batch, or between two
    decoded: new Map(), decoding: new Map(), failed: new Set(), shown: null, // frames
    place: null, rows: [], spots: new Map(), spare: [], charts: new Map(), // null while hidden
    active: 0, hovered: null, // units
  };
  inst.width = new ResizeObserver(() => resize(inst));
  inst.width.observe(inst.ruler);
  listen(inst);
  instances.set(root, inst);
  return inst;
}

function unmount(inst, root) {
  inst.listeners.abort();
  inst.width.disconnect();
  cancelAnimationFrame(inst.waiting);
  forget(inst);
  inst.film = inst.head = null;
  instances.delete(root);
}

// ---- What comes from Python ---------------------------------------------------------------------

// A film that isn't here yet is fetched; the browser keeps the file, which never changes.
async function receive(inst, head) {
  inst.head = head;
  if (inst.film?.print === head.print) {
    arrive(inst, { ...inst.film, label: head.label, given: head.given });
    return;
  }
  const body = await fetched(head.address);
  if (inst.head !== head) return; // another film is wanted by now, or none
  inst.problem.hidden = body !== null;
  if (body) arrive(inst, unpack(head, body));
  else inst.problem.textContent = "The film could not be loaded: load the page again.";
}

async function fetched(address) {
  try {
    const answer = await fetch(address);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

function arrive(inst, film) {
  const given = JSON.stringify(film.given);
  const other = film !== inst.film && inst.film?.print !== film.print;
  const renamed = inst.film?.label !== film.label;
  if (other) {
    forget(inst);
    inst.at = film.batches;
    playing(inst, false);
    inst.hovered = null;
    inst.active = film.given.pinned[0] ?? 0;
  }
  if (other || renamed || given !== inst.given) {
    inst.given = given;
    inst.turn = film.given.turn;
    inst.pins = [...film.given.pinned];
  }
  inst.film = film;
  inst.scrub.max = String(film.batches);
  inst.scrub.setAttribute("aria-label", `Batch of the training of ${film.label}`);
  const keys = "arrow keys move, Enter pins";
  inst.grid.setAttribute("aria-label", `${film.label}: ${film.units.length} units; ${keys}`);
  layout(inst);
}

function unpack(head, body) {
  const part = (name) => body.slice(...head.spans[name]);
  const loss = new Float32Array(part("loss").buffer);
  const finite = loss.filter(Number.isFinite);
  const film = {
    ...head, loss, worst: Math.max(...finite, 1e-9),
    accuracy: new Float32Array(part("accuracy").buffer),
    scalars: new Int8Array(part("scalars").buffer),
    preferred: part("preferred"),
    upper: head.frames.map((_, frame) => part(`upper${frame}`)),
    lower: head.frames.map((_, frame) => part(`lower${frame}`)),
    names: head.units.map((unit) => unit.split("/").at(-1)),
  };
  film.changes = film.frames.map((_, frame) => film.units.filter((_, unit) => changed(film, frame, unit)).length);
  return film;
}

const prefers = (film, frame, unit) => film.preferred[frame * film.units.length + unit];
const changed = (film, frame, unit) => frame > 0 && prefers(film, frame, unit) !== prefers(film, frame - 1, unit);
const batchOf = (inst) => Math.floor(inst.at);

// The last frame taken at this batch or before; the first one where there is none.
function frameAt({ frames }, batch) {
  let low = 0;
  let high = frames.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (frames[middle] <= batch) low = middle;
    else high = middle - 1;
  }
  return low;
}

// ---- Decoding -----------------------------------------------------------------------------------

function forget(inst) {
  for (const sheets of inst.decoded.values()) sheets.forEach((sheet) => sheet.close());
  inst.decoded.clear();
  inst.failed.clear();
  inst.charts.clear();
  inst.problem.hidden = true;
  inst.shown = null;
}

// The frame wanted now, one at a time, and the next one while it plays or is stepped through. What is
// late is shown all the same, as it is nearer than what stands there: a quick drag is a film too.
function decode(inst) {
  const { film, decoded, failed, decoding } = inst;
  if (!film) return;
  const wanted = frameAt(film, batchOf(inst));
  const next = wanted + inst.direction;
  const lacks = (frame) => film.frames[frame] !== undefined && !decoded.has(frame) && !failed.has(frame);
  if (lacks(wanted)) {
    if (!decoding.has("wanted") && decoding.get("next") !== wanted) read(inst, "wanted", wanted);
  } else if ((inst.playing || inst.stepping) && lacks(next) && decoding.size === 0) read(inst, "next", next);
}

async function read(inst, why, frame) {
  const { film, decoded, decoding } = inst;
  decoding.set(why, frame);
  const files = [film.upper[frame], film.lower[frame]].map((bytes) => new Blob([bytes], { type: "image/webp" }));
  const results = await Promise.allSettled(files.map((file) => createImageBitmap(file)));
  decoding.delete(why);
  const sheets = results.filter((one) => one.status === "fulfilled").map((one) => one.value);
  const late = inst.film?.print !== film.print; // another film is on
  if (late || sheets.length < 2 || decoded.has(frame)) {
    sheets.forEach((sheet) => sheet.close());
    if (!late && !decoded.has(frame)) complain(inst, frame);
  } else {
    decoded.set(frame, sheets);
    if (why === "wanted") inst.shown = frame;
    discard(inst, frame);
  }
  schedule(inst);
}

function complain(inst, frame) {
  inst.failed.add(frame);
  inst.problem.textContent = `This browser could not read the pictures of batch ${inst.film.frames[frame]}.`;
  inst.problem.hidden = false;
}

function discard(inst, newest) {
  const { decoded } = inst;
  const needed = [newest, inst.shown, frameAt(inst.film, batchOf(inst))];
  for (const [frame, sheets] of decoded) {
    if (decoded.size <= KEPT) break;
    if (needed.includes(frame)) continue;
    sheets.forEach((sheet) => sheet.close());
    decoded.delete(frame);
  }
}

// ---- Time ---------------------------------------------------------------------------------------

function schedule(inst) {
  if (!inst.waiting) inst.waiting = requestAnimationFrame((now) => tick(inst, now));
}

function tick(inst, now) {
  inst.waiting = 0;
  if (!inst.film) return;
  if (inst.playing) {
    const passed = Math.min(250, now - (inst.clock ?? now)); // a tab that slept goes on where it was
    inst.clock = now;
    inst.at = Math.min(inst.film.batches, inst.at + (passed / 1000) * PER_SECOND * Number(inst.speed.value));
    if (inst.at >= inst.film.batches) playing(inst, false);
    else schedule(inst);
  }
  paint(inst);
  decode(inst);
}

function go(inst, batch) {
  const to = Math.max(0, Math.min(inst.film.batches, batch));
  const frames = frameAt(inst.film, to) - frameAt(inst.film, batchOf(inst));
  if (to !== inst.at) inst.direction = to < inst.at ? -1 : 1;
  inst.stepping = Math.abs(frames) <= 1;
  inst.at = to;
  decode(inst);
  schedule(inst);
}

function playing(inst, on) {
  inst.playing = on;
  inst.clock = null;
  inst.direction = 1;
  if (on && inst.at >= inst.film.batches) inst.at = 0;
  inst.play.querySelector("path").setAttribute("d", on ? PATHS.pause : PATHS.play);
  inst.play.querySelector("span").textContent = on ? "Pause" : "Play";
  schedule(inst);
}

// The nearest batch with pictures before or after this one.
function picturesBeside(inst, way) {
  const { frames, batches } = inst.film;
  const batch = batchOf(inst);
  if (way > 0) return frames.find((each) => each > batch) ?? batches;
  return frames.findLast((each) => each < batch) ?? 0;
}

// ---- Where things are ---------------------------------------------------------------------------

function resize(inst) {
  const { place, ruler } = inst;
  const same = place && place.given === ruler.clientWidth && place.ratio === devicePixelRatio;
  if (inst.film && !same) layout(inst);
}

function layout(inst) {
  const { film, ruler, player } = inst;
  const given = ruler.clientWidth;
  if (given === 0) {
    inst.place = null; // in a closed tab or expander: the observer calls again when it opens
    return;
  }
  const ratio = devicePixelRatio;
  const dev = (css) => Math.round(css * ratio);
  player.classList.toggle("narrow", given < 700);
  const columns = film.classes * PICTURE + (film.classes - 1) * BETWEEN;
  const width = Math.floor(given * ratio) - 2 * dev(EDGE);
  const pixel = Math.max(1, Math.min(Math.round(ratio), Math.floor(width / columns)));
  const block = columns * pixel;
  const across = Math.max(1, Math.floor((width + dev(GAP)) / (block + dev(GAP))));
  const spread = across > 1 ? Math.min(dev(STRETCH), (width - across * block) / (across - 1)) : 0;
  const step = Math.floor((block + spread) / pixel) * pixel;
  const left = dev(EDGE);
  const rows = PICTURE * pixel;
  const bars = Math.round(dev(BARS) / pixel) * pixel;
  const deep = dev(NAME) + 2 * rows + bars;
  inst.place = { given, ratio, dev, pixel, block, across, step, left, rows, bars, deep, inks: inks(inst) };
  inst.charts.clear();
  arrange(inst);
  paintHeads(inst);
  still(inst);
  paint(inst);
  decode(inst);
}

function inks({ player }) {
  const style = getComputedStyle(player);
  const of = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const paper = of("--st-background-color", "#ffffff");
  const dark = /^#[0-7]/.test(paper);
  const down = dark ? "#e0a05c" : "#c2650a";
  player.style.setProperty("--down", down);
  return {
    paper, down, family: style.fontFamily, ink: style.color,
    blue: of("--st-primary-color", "#2563eb"), orange: of("--st-orange-color", "#ffa421"),
  };
}

// Pinned units first, on rows of their own, then the rest.
function arrange(inst) {
  const { film, place, pins } = inst;
  const { across, deep, dev } = place;
  release(inst, inst.rows);
  inst.rows = [];
  inst.spots.clear();
  let top = dev(HEADS);
  const rest = film.units.map((_, unit) => unit).filter((unit) => !pins.includes(unit));
  for (const [units, pinned] of [[pins, true], [rest, false]]) {
    for (let first = 0; first < units.length; first += across) {
      const row = { units: units.slice(first, first + across), pinned, top, height: deep + (pinned ? dev(CHART) : 0) };
      row.units.forEach((unit, column) => inst.spots.set(unit, { row: inst.rows.length, column }));
      inst.rows.push(row);
      top += row.height + dev(FOOT);
    }
  }
  inst.order = [...pins, ...rest];
  inst.grid.style.height = `${top / place.ratio}px`;
  put(inst, inst.hover, inst.hovered);
  announce(inst);
}

// The block's box in CSS pixels, within the grid.
function spot(inst, unit) {
  const { left, step, block, ratio, dev } = inst.place;
  const { row, column } = inst.spots.get(unit);
  const { top, height } = inst.rows[row];
  return {
    left: (left + column * step - dev(EDGE)) / ratio,
    top: top / ratio,
    width: (block + 2 * dev(EDGE)) / ratio,
    height: (height + dev(EDGE)) / ratio,
  };
}

function put(inst, element, unit) {
  element.hidden = unit === null;
  if (element.hidden) return;
  const { left, top, width, height } = spot(inst, unit);
  Object.assign(element.style, {
    transform: `translate(${left}px, ${top}px)`, width: `${width}px`, height: `${height}px`,
  });
}

function under(inst, event) {
  if (!inst.place) return null;
  const { left, step, block, ratio, dev } = inst.place;
  const origin = inst.grid.getBoundingClientRect();
  if (event.clientY < inst.box.getBoundingClientRect().top + HEADS) return null; // the sticky heads
  const x = (event.clientX - origin.left) * ratio - left + dev(EDGE);
  const y = (event.clientY - origin.top) * ratio;
  const column = Math.floor(x / step);
  if (column < 0 || x - column * step > block + 2 * dev(EDGE)) return null;
  const row = inst.rows.find((each) => y >= each.top && y < each.top + each.height + dev(EDGE));
  return row?.units[column] ?? null;
}

// ---- Drawing: the units -------------------------------------------------------------------------

function release(inst, rows) {
  for (const row of rows) {
    if (!row.canvases) continue;
    row.canvases.forEach((canvas) => (canvas.style.display = "none"));
    inst.spare.push(row.canvases);
    row.canvases = null;
  }
}

// Rows in view get a pair of canvases, for pictures and for marks, from those that left it.
function inView(inst) {
  const { box, place } = inst;
  const from = (box.scrollTop - AHEAD) * place.ratio;
  const to = (box.scrollTop + box.clientHeight + AHEAD) * place.ratio;
  const near = (row) => row.top < to && row.top + row.height > from;
  release(inst, inst.rows.filter((row) => !near(row)));
  const seen = inst.rows.filter(near);
  for (const row of seen) {
    if (row.canvases) continue;
    row.canvases = inst.spare.pop() ?? [inst.pictures, inst.marks].map((layer) => layer.appendChild(document.createElement("canvas")));
    row.frame = row.state = null;
    lay(inst, row);
  }
  return seen;
}

function lay(inst, { canvases: [pictures, marks], units, top, height }) {
  const { left, step, block, rows, bars, pixel, ratio, dev } = inst.place;
  const wide = (units.length - 1) * step + block;
  const place = (canvas, x, y, width, tall, scale) => {
    canvas.width = width / scale;
    canvas.height = tall / scale;
    const px = (length) => `${length / ratio}px`;
    Object.assign(canvas.style, { display: "", left: px(x), top: px(y), width: px(width), height: px(tall) });
  };
  place(pictures, left, top + dev(NAME), wide, 2 * rows + bars, pixel);
  place(marks, left, top, wide, height, 1);
}

function paint(inst) {
  const { film, place } = inst;
  if (!place) return;
  const batch = batchOf(inst);
  const frame = frameAt(film, batch);
  if (inst.decoded.has(frame)) {
    inst.shown = frame;
    const sheets = inst.decoded.get(frame);
    inst.decoded.delete(frame); // the newest is the last
    inst.decoded.set(frame, sheets);
  }
  for (const row of inView(inst)) {
    if (row.frame !== inst.shown) paintPictures(inst, row);
    const state = `${batch} ${inst.gain.value} ${inst.hovered}`;
    if (row.state !== state) paintMarks(inst, row, batch, frame);
    row.state = state;
  }
  paintTimeline(inst, batch);
  paintScores(inst, frame);
  say(inst, batch, frame);
}

function paintPictures(inst, row) {
  const { film, place, shown } = inst;
  const [canvas] = row.canvases;
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, canvas.width, canvas.height);
  row.frame = shown;
  if (shown === null) return;
  const [upper, lower] = inst.decoded.get(shown);
  const below = PICTURE + place.bars / place.pixel;
  row.units.forEach((unit, column) => {
    for (let digit = 0; digit < film.classes; digit++) {
      const x = (column * place.step) / place.pixel + digit * (PICTURE + BETWEEN);
      const from = [digit * PICTURE, unit * PICTURE, PICTURE, PICTURE];
      brush.drawImage(upper, ...from, x, 0, PICTURE, PICTURE);
      brush.drawImage(lower, ...from, x, below, PICTURE, PICTURE);
    }
  });
}

function paintMarks(inst, row, batch, frame) {
  const canvas = row.canvases[1];
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, canvas.width, canvas.height);
  row.units.forEach((unit, column) => {
    const x = column * inst.place.step;
    paintName(inst, brush, x, unit, frame);
    paintBars(inst, brush, x, unit, batch);
    if (row.pinned) paintChart(inst, brush, x, unit, batch, frame);
  });
}

function paintName(inst, brush, x, unit, frame) {
  const { film, place } = inst;
  const { dev, inks, block, pixel } = place;
  const digit = prefers(film, frame, unit);
  const y = dev(NAME / 2 - 1);
  const words = (text, at, weight, alpha) => {
    brush.font = `${weight} ${dev(FONT)}px ${inks.family}`;
    brush.globalAlpha = alpha;
    brush.fillText(text, at, y);
    brush.globalAlpha = 1;
    return at + brush.measureText(text).width;
  };
  brush.textBaseline = "middle";
  brush.textAlign = "left";
  brush.fillStyle = inks.ink;
  let end = words(film.names[unit], x, 600, 1);
  end = words(`class ${digit}`, end + dev(10), 400, 0.75);
  if (changed(film, frame, unit)) {
    brush.fillStyle = inks.orange;
    brush.beginPath();
    brush.arc(end + dev(10), y, dev(4), 0, 2 * Math.PI);
    brush.fill();
    brush.fillStyle = inks.ink;
    words(`was ${prefers(film, frame - 1, unit)}`, end + dev(19), 400, 0.75);
  }
  const pinned = inst.pins.includes(unit);
  const note = unit === inst.hovered ? (pinned ? "unpin" : "pin") : pinned ? "pinned" : "";
  if (note) {
    brush.fillStyle = inks.blue;
    brush.font = `${dev(FONT)}px ${inks.family}`;
    words(note, x + block - brush.measureText(note).width, 400, 1);
  }
  brush.fillStyle = inks.blue;
  brush.fillRect(x + digit * (PICTURE + BETWEEN) * pixel, dev(NAME - 4), PICTURE * pixel, dev(2));
}

// The class scalars of this very batch. None is known before the first.
function paintBars(inst, brush, x, unit, batch) {
  const { film, place } = inst;
  const { dev, inks, rows, bars, pixel } = place;
  const middle = dev(NAME) + rows + Math.floor(bars / 2);
  const hair = Math.max(1, dev(1));
  brush.fillStyle = inks.ink;
  brush.globalAlpha = 0.25;
  brush.fillRect(x, middle, place.block, hair);
  brush.globalAlpha = 1;
  if (batch === 0) return;
  const start = ((batch - 1) * film.units.length + unit) * film.classes;
  for (let digit = 0; digit < film.classes; digit++) {
    const share = Math.max(-1, Math.min(1, (film.scalars[start + digit] / 127) * Number(inst.gain.value)));
    const tall = Math.round(Math.abs(share) * dev(8));
    if (tall === 0) continue;
    brush.fillStyle = share > 0 ? inks.blue : inks.down;
    const left = x + (digit * (PICTURE + BETWEEN) + 6) * pixel;
    brush.fillRect(left, share > 0 ? middle - tall : middle + hair, (PICTURE - 12) * pixel, tall);
  }
}

function paintChart(inst, brush, x, unit, batch, frame) {
  const { film, place } = inst;
  const { dev, inks, deep, block } = place;
  const digit = prefers(film, frame, unit);
  const top = deep + dev(8);
  const name = `${unit} ${digit}`;
  if (!inst.charts.has(name)) {
    if (inst.charts.size > 60) inst.charts.clear();
    inst.charts.set(name, chart(inst, unit, digit, block, dev(CHART - 8)));
  }
  brush.drawImage(inst.charts.get(name), x, top);
  brush.fillStyle = inks.ink;
  brush.globalAlpha = 0.6;
  const cursor = Math.min(block - dev(1), Math.round((batch / film.batches) * (block - 1)));
  brush.fillRect(x + cursor, top + dev(14), Math.max(1, dev(1)), dev(CHART - 8 - 14));
  brush.globalAlpha = 1;
}

// Ten lines over the batches, stretched to the unit's own largest; the preferred class's in blue.
function chart(inst, unit, preferred, width, height) {
  const { film, place } = inst;
  const { dev, inks } = place;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const brush = canvas.getContext("2d");
  const lines = Array.from({ length: film.classes }, (_, digit) => envelope(film, unit, digit, width));
  const most = Math.max(1, ...lines.flatMap((line) => line.map(Math.abs)));
  brush.font = `${dev(SMALL)}px ${inks.family}`;
  brush.textBaseline = "top";
  brush.fillStyle = inks.ink;
  brush.globalAlpha = 0.75;
  brush.fillText(`g of every class over the batches, to ±${(most / 127).toFixed(2)} of the layer’s largest`, 0, 0);
  const top = dev(14);
  const half = (height - top) / 2;
  brush.globalAlpha = 0.25;
  brush.fillRect(0, Math.round(top + half), width, Math.max(1, dev(0.5)));
  const draw = (line) => {
    brush.beginPath();
    line.forEach((value, place) => brush.lineTo(place / 2, top + half - (value / most) * (half - dev(1))));
    brush.stroke();
  };
  brush.strokeStyle = inks.ink;
  brush.lineWidth = Math.max(1, dev(0.75));
  lines.forEach((line, digit) => digit !== preferred && draw(line));
  brush.globalAlpha = 1;
  brush.strokeStyle = inks.blue;
  brush.lineWidth = dev(1.25);
  draw(lines[preferred]);
  return canvas;
}

// Two values a column: its first and the one furthest from it, so that no spike is lost.
function envelope({ scalars, units, classes, batches }, unit, digit, width) {
  const line = [];
  for (let column = 0; column < width; column++) {
    const from = Math.min(batches - 1, Math.floor((column / width) * batches));
    const to = Math.max(from + 1, Math.floor(((column + 1) / width) * batches));
    const value = (batch) => scalars[(batch * units.length + unit) * classes + digit];
    const first = value(from);
    let far = first;
    for (let batch = from; batch < to; batch++) if (Math.abs(value(batch) - first) > Math.abs(far - first)) far = value(batch);
    line.push(first, far);
  }
  return line;
}

function paintHeads(inst) {
  const { film, heads, place } = inst;
  const { dev, ratio, given, inks, left, step, across, pixel } = place;
  heads.width = Math.floor(given * ratio);
  heads.height = dev(HEADS);
  heads.style.width = `${heads.width / ratio}px`;
  heads.style.height = `${heads.height / ratio}px`;
  const brush = heads.getContext("2d");
  brush.fillStyle = inks.paper;
  brush.fillRect(0, 0, heads.width, heads.height);
  brush.fillStyle = inks.ink;
  brush.globalAlpha = 0.75;
  brush.font = `${dev(FONT)}px ${inks.family}`;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  for (let column = 0; column < Math.min(across, film.units.length); column++) {
    for (let digit = 0; digit < film.classes; digit++) {
      const x = left + column * step + (digit * (PICTURE + BETWEEN) + PICTURE / 2) * pixel;
      brush.fillText(String(digit), x, heads.height / 2);
    }
  }
}

// ---- Drawing: the whole training ----------------------------------------------------------------

// A canvas as large as its place on the screen, wiped.
function fresh(inst, canvas) {
  const { ratio } = inst.place;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  return canvas.getContext("2d");
}

// What only a new layout changes: the loss's line, and the ticks of the changes.
function still(inst) {
  const { film, place, ticks } = inst;
  const { dev, inks } = place;
  inst.worst.textContent = `of each batch, 0 to ${film.worst.toPrecision(3)}`;
  fresh(inst, inst.loss);
  inst.curve = Object.assign(document.createElement("canvas"), { width: inst.loss.width, height: inst.loss.height });
  const line = inst.curve.getContext("2d");
  line.fillStyle = inks.ink;
  line.globalAlpha = 0.2;
  line.fillRect(dev(THUMB), line.canvas.height - 1, line.canvas.width - 2 * dev(THUMB), 1);
  line.globalAlpha = 1;
  line.strokeStyle = inks.blue;
  line.lineWidth = Math.max(1, dev(0.8));
  line.lineJoin = "round";
  line.beginPath();
  film.loss.forEach((value, index) => {
    if (Number.isFinite(value)) line.lineTo(across(inst, index + 1, line.canvas), height(inst, value, line.canvas));
  });
  line.stroke();
  const mark = fresh(inst, ticks);
  mark.fillStyle = inks.orange;
  const most = Math.max(1, ...film.changes);
  film.changes.forEach((count, frame) => {
    if (count === 0) return;
    const tall = dev(3) + Math.round(Math.sqrt(count / most) * dev(10));
    mark.fillRect(Math.round(across(inst, film.frames[frame], ticks) - dev(1)), 0, dev(2), tall);
  });
  inst.scored = null;
}

// A batch's place on the timeline's canvases, right above the slider's thumb.
function across(inst, batch, canvas) {
  const edge = inst.place.dev(THUMB);
  return edge + (batch / inst.film.batches) * (canvas.width - 2 * edge);
}

function height(inst, loss, canvas) {
  const edge = inst.place.dev(4);
  return canvas.height - 1 - (loss / inst.film.worst) * (canvas.height - 1 - edge);
}

function paintTimeline(inst, batch) {
  const { film, loss, curve } = inst;
  const { dev, inks } = inst.place;
  const brush = loss.getContext("2d");
  brush.clearRect(0, 0, loss.width, loss.height);
  brush.drawImage(curve, 0, 0);
  const x = across(inst, batch, loss);
  brush.fillStyle = inks.ink;
  brush.globalAlpha = 0.45;
  brush.fillRect(Math.round(x - dev(1) / 2), 0, Math.max(1, dev(1)), loss.height);
  brush.globalAlpha = 1;
  const value = film.loss[batch - 1];
  if (!Number.isFinite(value)) return;
  brush.fillStyle = inks.blue;
  brush.beginPath();
  brush.arc(x, height(inst, value, loss), dev(3.5), 0, 2 * Math.PI);
  brush.fill();
}

function paintScores(inst, frame) {
  if (inst.scored === frame) return;
  inst.scored = frame;
  const { film, bars } = inst;
  const { dev, inks } = inst.place;
  const brush = fresh(inst, bars);
  const step = bars.width / film.classes;
  const [top, foot] = [dev(18), bars.height - dev(18)];
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  const told = [];
  for (let digit = 0; digit < film.classes; digit++) {
    const share = film.accuracy[frame * film.classes + digit];
    const x = Math.round(digit * step + step / 2);
    const half = Math.round(Math.min(step * 0.3, dev(11)));
    brush.fillStyle = inks.ink;
    brush.globalAlpha = 0.1;
    brush.fillRect(x - half, top, 2 * half, foot - top);
    brush.globalAlpha = 0.75;
    brush.font = `${dev(FONT)}px ${inks.family}`;
    brush.fillText(String(digit), x, bars.height - dev(8));
    brush.globalAlpha = 1;
    if (!Number.isFinite(share)) continue;
    const per = String(Math.round(100 * share));
    told.push(`${digit}: ${per}`);
    brush.font = `${dev(SMALL + 1)}px ${inks.family}`;
    brush.fillText(per, x, dev(9));
    const tall = Math.round(Math.max(0, Math.min(1, share)) * (foot - top));
    brush.fillStyle = inks.blue;
    brush.fillRect(x - half, foot - tall, 2 * half, tall);
  }
  bars.setAttribute("aria-label", `Accuracy of each class in per cent: ${told.join(", ")}`);
}

// ---- What is said -------------------------------------------------------------------------------

function say(inst, batch, frame) {
  const { film, scrub } = inst;
  const loss = film.loss[batch - 1];
  const text = [
    `batch ${grouped.format(batch)} of ${grouped.format(film.batches)}`,
    `loss ${Number.isFinite(loss) ? loss.toFixed(3) : "–"}`,
    `pictures of batch ${grouped.format(film.frames[frame])}`,
  ].join(" · ");
  if (inst.readout.textContent !== text) inst.readout.textContent = text;
  if (scrub.valueAsNumber !== batch) scrub.value = String(batch);
  scrub.style.setProperty("--fill", `${(100 * batch) / film.batches}%`);
  // While it plays, the slider is only read at new pictures.
  if (!inst.playing || inst.spokenFrame !== frame) scrub.setAttribute("aria-valuetext", text);
  if (inst.spokenFrame !== frame) announce(inst);
  inst.spokenFrame = frame;
}

function spoken(inst, unit) {
  const { film, pins } = inst;
  const frame = frameAt(film, batchOf(inst));
  const was = changed(film, frame, unit) ? `, changed from ${prefers(film, frame - 1, unit)}` : "";
  const pinned = pins.includes(unit) ? ", pinned" : "";
  return `Unit ${film.units[unit]}: class ${prefers(film, frame, unit)}${was}${pinned}`;
}

// A fresh node at every move: screen readers don't read a changed name on the same one.
function announce(inst) {
  if (!inst.place) return;
  const id = `unit-${inst.active}`;
  const option = inst.option.id === id ? inst.option : inst.option.cloneNode();
  option.id = id;
  option.setAttribute("aria-label", spoken(inst, inst.active));
  option.setAttribute("aria-selected", String(inst.pins.includes(inst.active)));
  option.setAttribute("aria-posinset", String(inst.order.indexOf(inst.active) + 1));
  option.setAttribute("aria-setsize", String(inst.order.length));
  if (option !== inst.option) inst.option.replaceWith(option);
  inst.option = option;
  put(inst, option, inst.active);
  inst.grid.setAttribute("aria-activedescendant", option.id);
}

// ---- What a person does -------------------------------------------------------------------------

function listen(inst) {
  const { grid, scrub, play, gain, box, player } = inst;
  const { signal } = inst.listeners;
  const on = (target, name, act, more) => target.addEventListener(name, act, { signal, ...more });
  playing(inst, false);
  on(scrub, "input", () => {
    const to = scrub.valueAsNumber;
    if (inst.playing) playing(inst, false);
    go(inst, to);
  });
  on(play, "click", () => playing(inst, !inst.playing));
  on(gain, "input", () => stretch(inst));
  stretch(inst);
  on(player, "keydown", (event) => transport(inst, event));
  on(box, "scroll", () => schedule(inst), { passive: true });
  on(grid, "pointermove", (event) => {
    if (event.pointerType !== "touch") point(inst, under(inst, event));
  });
  on(grid, "pointerleave", () => point(inst, null));
  on(grid, "pointerdown", () => grid.classList.remove("keyed"));
  on(grid, "click", (event) => {
    const unit = inst.film && under(inst, event);
    if (unit === null) return;
    inst.active = unit;
    pin(inst);
  });
  on(grid, "keydown", (event) => walk(inst, event));
  on(grid, "focus", () => {
    if (grid.matches(":focus-visible") && inst.place) grid.classList.add("keyed");
  });
  on(window, "resize", () => resize(inst));
  on(document.fonts, "loadingdone", () => inst.film && layout(inst));
}

function stretch(inst) {
  const gain = Number(inst.gain.value);
  inst.gained.textContent = `${gain}×`;
  inst.gain.setAttribute("aria-valuetext", `${gain} times`);
  inst.gain.style.setProperty("--fill", `${((gain - 1) / 7) * 100}%`);
  inst.pictures.style.filter = gain === 1 ? "" : `contrast(${gain})`;
  schedule(inst);
}

const plain = (event) => !(event.ctrlKey || event.metaKey || event.altKey);

function take(event) {
  event.preventDefault();
  event.stopPropagation(); // Streamlit's own shortcuts
}

// Space plays wherever it has no other meaning; arrows step on the slider and the play button.
function transport(inst, event) {
  if (!inst.film || !plain(event)) return;
  const from = event.target;
  if (event.key === " " && from !== inst.play && from !== inst.speed) {
    take(event);
    if (!event.repeat) playing(inst, !inst.playing);
    return;
  }
  const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
  const way = steps[event.key];
  if (way === undefined || (from !== inst.scrub && from !== inst.play)) return;
  take(event);
  if (inst.playing) playing(inst, false);
  go(inst, event.shiftKey ? picturesBeside(inst, way) : batchOf(inst) + way);
}

function walk(inst, event) {
  if (!inst.place || !plain(event)) return;
  const { order, rows, spots } = inst;
  const { row, column } = spots.get(inst.active);
  const here = order.indexOf(inst.active);
  const above = (lines) => {
    const { units } = rows[Math.max(0, Math.min(rows.length - 1, row + lines))];
    return units[Math.min(column, units.length - 1)];
  };
  const page = Math.max(1, Math.floor((inst.box.clientHeight * inst.place.ratio) / inst.place.deep) - 1);
  const moves = {
    ArrowRight: () => order[Math.min(order.length - 1, here + 1)],
    ArrowLeft: () => order[Math.max(0, here - 1)],
    ArrowUp: () => above(-1),
    ArrowDown: () => above(1),
    PageUp: () => above(-page),
    PageDown: () => above(page),
    Home: () => order[0],
    End: () => order.at(-1),
  };
  if (event.key === "Enter") {
    inst.grid.classList.add("keyed");
    if (!event.repeat) pin(inst);
  } else if (moves[event.key]) {
    inst.active = moves[event.key]();
    inst.grid.classList.add("keyed");
    announce(inst);
    reveal(inst);
  } else return;
  take(event);
}

// Scrolls the box, never the page beyond what shows the unit, and keeps clear of the sticky heads.
function reveal(inst) {
  const { box, option } = inst;
  const { top, height } = spot(inst, inst.active);
  if (top - HEADS < box.scrollTop) box.scrollTop = top - HEADS;
  else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight + 4;
  option.scrollIntoView({ block: "nearest", inline: "nearest" });
  schedule(inst);
}

// A unit that is pinned goes to the top, and so does the view; one that is unpinned goes home.
function pin(inst) {
  const unit = inst.active;
  const pinned = inst.pins.includes(unit);
  inst.pins = pinned ? inst.pins.filter((each) => each !== unit) : [...inst.pins, unit];
  inst.hovered = null;
  arrange(inst);
  if (!pinned) inst.box.scrollTop = 0;
  paint(inst);
  inst.turn += 1;
  const { label, given } = inst.film;
  inst.send("told", { label, pinned: inst.pins, turn: inst.turn, given });
}

function point(inst, unit) {
  if (unit === inst.hovered) return;
  inst.hovered = unit;
  inst.grid.classList.toggle("pointing", unit !== null);
  if (inst.place) put(inst, inst.hover, unit);
  schedule(inst);
}
