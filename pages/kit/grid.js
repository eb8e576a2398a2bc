// The browser's side of grid.py. Pictures and captions are drawn on canvases; the rings around the
// hovered, the chosen and the active picture are three boxes laid over and under them.
// Lengths called `dev` are whole device pixels, so that a sheet pixel is always a whole square.

const PAD = 5; // between a picture and its ring, CSS pixels, as are the next five
const GAP = 4; // between two rings
const STRETCH = 20; // what a gap may grow by to fill the width
const EDGE = 3; // room for the outermost focus ring
const FONT = 12;
const LINE = 19; // a caption's share of the height
const BAND = 4096; // a canvas is at most this many device pixels high, and
const AREA = 4e6; // this many in all: phones refuse large ones

const LAYERED = "popover" in HTMLElement.prototype; // above everything, clipped by nothing

const instances = new WeakMap();

// Streamlit calls this again at every change of data or theme, and may call a run's cleanup after the
// next run began (when the module was still loading), so only the newest run's cleanup counts.
export default function ({ data, parentElement, setTriggerValue }) {
  const inst = mount(parentElement);
  const run = ++inst.runs;
  inst.send = setTriggerValue;
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
    root, grid, runs: 0, bands: [], listeners: new AbortController(),
    frame: find(".frame"), sheet: find(".sheet"), ruler: find(".ruler"), tip: find(".tip"),
    hover: find(".hovered"), ring: find(".chosen"), option: find(".active"), problem: find(".problem"),
    data: null, sprite: null, wanted: null, place: null, // `place` is null while the grid is hidden
    chosen: null, sought: null, active: 0, hovered: null,
  };
  inst.eye = new IntersectionObserver((seen) => seen.forEach((entry) => look(inst, entry)), {
    rootMargin: "600px 0px", scrollMargin: "600px 0px",
  });
  inst.width = new ResizeObserver(() => resize(inst));
  inst.width.observe(inst.ruler);
  listen(inst);
  instances.set(root, inst);
  return inst;
}

function unmount(inst, root) {
  inst.listeners.abort();
  inst.width.disconnect();
  inst.eye.disconnect();
  inst.wanted = null;
  hideTip(inst);
  instances.delete(root);
}

// A new sheet is adopted with its words once it is decoded, so that the two always belong together.
async function receive(inst, data) {
  inst.wanted = data;
  if (inst.data === null || inst.data.sheet !== data.sheet) {
    const sprite = new Image();
    sprite.src = data.sheet;
    try {
      await sprite.decode();
    } catch {
      if (inst.wanted === data) {
        inst.problem.textContent = "This browser could not read the sheet of pictures.";
        inst.problem.hidden = false;
      }
      return;
    }
    if (inst.wanted !== data) return;
    inst.sprite = sprite;
  }
  inst.problem.hidden = true;
  adopt(inst, data);
}

function adopt(inst, data) {
  const before = inst.data;
  const other = before === null || before.label !== data.label || before.count !== data.count;
  if (other || before.selected !== data.selected) {
    inst.chosen = inst.sought = data.selected;
    const busy = inst.root.activeElement === inst.grid;
    if (other) inst.active = data.selected ?? 0;
    else if (!busy) inst.active = data.selected ?? inst.active;
  }
  inst.data = data;
  inst.marked = new Set(data.marked);
  inst.grid.setAttribute("aria-label", `${data.label}: ${data.count} pictures`);
  inst.frame.classList.toggle("scrolls", data.max_height !== null);
  inst.frame.style.maxHeight = data.max_height === null ? "" : `${data.max_height}px`;
  if (other) {
    inst.hovered = null;
    hideTip(inst);
  }
  layout(inst);
}

// ---- Where things are ---------------------------------------------------------------------------

function resize(inst) {
  const place = inst.place;
  const same = place && place.given === inst.ruler.clientWidth && place.ratio === devicePixelRatio;
  if (inst.data && inst.ruler.clientWidth > 0 && !same) layout(inst);
}

function layout(inst) {
  const { data } = inst;
  const given = inst.ruler.clientWidth;
  if (given === 0) {
    inst.place = null; // in a closed tab or expander: the observer calls again when it opens
    return;
  }
  const ratio = devicePixelRatio;
  const dev = (css) => Math.round(css * ratio);
  const style = getComputedStyle(inst.frame);
  const font = `${dev(FONT)}px ${style.fontFamily}`;
  const width = Math.floor(given * ratio) - 2 * dev(EDGE);
  const [rows, columns] = data.tile;
  const pixel = Math.max(1, Math.min(dev(data.scale), Math.floor((width - 2 * dev(PAD)) / columns)));
  const picture = { width: columns * pixel, height: rows * pixel };
  const words = data.captions.some((caption) => caption !== "");
  const text = words ? Math.min(widest(data.captions, font), Math.max(picture.width, dev(132))) : 0;
  const cell = {
    width: Math.min(width, Math.max(picture.width, text) + 2 * dev(PAD)),
    height: picture.height + 2 * dev(PAD) + (words ? dev(LINE) : 0),
  };
  const gap = dev(GAP);
  const across = Math.max(1, Math.floor((width + gap) / (cell.width + gap)));
  const full = across > 1 ? Math.floor((width - cell.width) / (across - 1)) : cell.width;
  const step = {
    x: data.count > across ? Math.min(full, cell.width + gap + dev(STRETCH)) : cell.width + gap,
    y: cell.height + gap,
  };
  const lines = Math.ceil(data.count / across);
  const perBand = Math.max(1, Math.floor(Math.min(BAND, AREA / width) / step.y));
  const ink = style.color;
  const paper = style.getPropertyValue("--st-background-color") || "#fff";
  const orange = style.getPropertyValue("--st-orange-color") || "#ffa421";
  const inks = { font, ink, paper, orange };
  inst.place = { given, ratio, dev, width, picture, cell, step, across, lines, perBand, inks };
  inst.grid.style.height = `${(lines * step.y - gap + 2 * dev(EDGE)) / ratio}px`;
  band(inst);
  put(inst, inst.ring, inst.chosen);
  put(inst, inst.hover, inst.hovered);
  announce(inst);
  reveal(inst);
}

const ruler2d = document.createElement("canvas").getContext("2d");

function widest(captions, font) {
  ruler2d.font = font;
  return Math.ceil(Math.max(...captions.map((caption) => ruler2d.measureText(caption).width)));
}

// The cell's box in CSS pixels, within the grid.
function box(inst, index) {
  const { across, step, cell, ratio, dev } = inst.place;
  return {
    left: (dev(EDGE) + (index % across) * step.x) / ratio,
    top: (dev(EDGE) + Math.floor(index / across) * step.y) / ratio,
    width: cell.width / ratio,
    height: cell.height / ratio,
  };
}

function put(inst, element, index) {
  element.hidden = index === null || index >= inst.data.count;
  if (element.hidden) return;
  const { left, top, width, height } = box(inst, index);
  Object.assign(element.style, {
    transform: `translate(${left}px, ${top}px)`, width: `${width}px`, height: `${height}px`,
  });
}

function under(inst, event) {
  if (!inst.place) return null;
  const { across, step, cell, ratio, dev, lines } = inst.place;
  const origin = inst.grid.getBoundingClientRect();
  const x = (event.clientX - origin.left) * ratio - dev(EDGE);
  const y = (event.clientY - origin.top) * ratio - dev(EDGE);
  const column = Math.floor(x / step.x);
  const line = Math.floor(y / step.y);
  const within = x - column * step.x < cell.width && y - line * step.y < cell.height;
  if (!within || column < 0 || column >= across || line < 0 || line >= lines) return null;
  const index = line * across + column;
  return index < inst.data.count ? index : null;
}

// ---- Drawing ------------------------------------------------------------------------------------

// One canvas for every `perBand` lines; `look` has only those near the screen drawn.
function band(inst) {
  const { lines, perBand, step, ratio } = inst.place;
  const count = Math.ceil(lines / perBand);
  while (inst.bands.length > count) {
    const { canvas } = inst.bands.pop();
    inst.eye.unobserve(canvas);
    canvas.remove();
  }
  while (inst.bands.length < count) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 0;
    inst.sheet.append(canvas);
    inst.bands.push({ canvas, near: false });
  }
  inst.bands.forEach((one, number) => {
    one.first = number * perBand;
    one.lines = Math.min(perBand, lines - one.first);
    one.canvas.style.top = `${(number * perBand * step.y) / ratio}px`;
    const size = bandSize(inst.place, one.lines);
    one.canvas.style.width = `${size.width / ratio}px`;
    one.canvas.style.height = `${size.height / ratio}px`;
    inst.eye.observe(one.canvas);
    if (one.near) draw(inst, one);
  });
}

function bandSize({ width, step, dev }, lines) {
  return { width: width + 2 * dev(EDGE), height: dev(EDGE) + lines * step.y - dev(GAP) };
}

function look(inst, entry) {
  const one = inst.bands.find((each) => each.canvas === entry.target);
  if (!one || !inst.place || one.near === entry.isIntersecting) return;
  one.near = entry.isIntersecting;
  if (one.near) draw(inst, one);
  else one.canvas.width = one.canvas.height = 0; // gives its memory back
}

function draw(inst, { canvas, first, lines }) {
  const { across, step, dev, inks } = inst.place;
  Object.assign(canvas, bandSize(inst.place, lines)); // and wipes it
  const brush = canvas.getContext("2d");
  brush.imageSmoothingEnabled = false;
  brush.font = inks.font;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  const last = Math.min(inst.data.count, (first + lines) * across);
  for (let index = first * across; index < last; index++) {
    const x = dev(EDGE) + (index % across) * step.x;
    const y = dev(EDGE) + (Math.floor(index / across) - first) * step.y;
    drawCell(inst, brush, index, x, y);
  }
}

function drawCell(inst, brush, index, x, y) {
  const { data, sprite, place } = inst;
  const { dev, picture, cell, inks } = place;
  const [height, width] = data.tile;
  const left = x + Math.floor((cell.width - picture.width) / 2);
  const top = y + dev(PAD);
  const sheetX = (index % data.across) * width;
  const sheetY = Math.floor(index / data.across) * height;
  brush.drawImage(sprite, sheetX, sheetY, width, height, left, top, picture.width, picture.height);
  const hair = Math.max(1, dev(0.5));
  brush.strokeStyle = inks.ink;
  brush.lineWidth = hair;
  brush.globalAlpha = 0.35; // else a black picture has no edge on a dark page
  brush.strokeRect(left - hair / 2, top - hair / 2, picture.width + hair, picture.height + hair);
  brush.globalAlpha = 0.85;
  brush.fillStyle = inks.ink;
  const caption = fitted(brush, data.captions[index] ?? "", cell.width - dev(PAD));
  brush.fillText(caption, x + cell.width / 2, top + picture.height + dev(LINE / 2 + 2));
  brush.globalAlpha = 1;
  if (inst.marked.has(index)) drawMark(brush, left + picture.width, top, place);
}

function drawMark(brush, x, y, { dev, inks }) {
  brush.beginPath();
  brush.arc(x - dev(1), y + dev(1), dev(4), 0, 2 * Math.PI);
  brush.fillStyle = inks.orange;
  brush.fill();
  brush.lineWidth = dev(1.5);
  brush.strokeStyle = inks.paper;
  brush.stroke();
}

function fitted(brush, text, width) {
  if (brush.measureText(text).width <= width) return text;
  let kept = text;
  while (kept && brush.measureText(kept + "…").width > width) kept = kept.slice(0, -1);
  return kept.trimEnd() + "…";
}

// ---- What a person does -------------------------------------------------------------------------

function listen(inst) {
  const { grid } = inst;
  const { signal } = inst.listeners;
  const on = (target, name, act, more) => target.addEventListener(name, act, { signal, ...more });
  on(grid, "pointermove", (event) => {
    if (event.pointerType !== "touch") point(inst, under(inst, event));
  });
  on(grid, "pointerleave", () => point(inst, null));
  on(grid, "pointerdown", () => grid.classList.remove("keyed"));
  on(grid, "click", (event) => {
    const index = inst.data && under(inst, event);
    if (index === null || ((event.ctrlKey || event.metaKey) && openTab(inst, index))) return;
    inst.active = index;
    announce(inst);
    choose(inst);
  });
  on(grid, "mousedown", (event) => {
    const index = event.button === 1 && inst.data ? under(inst, event) : null;
    if (index !== null && inst.data.addresses[index]) event.preventDefault(); // no scrolling mode
  });
  on(grid, "auxclick", (event) => {
    const index = event.button === 1 && inst.data ? under(inst, event) : null;
    if (index !== null && openTab(inst, index)) event.preventDefault();
  });
  on(grid, "keydown", (event) => press(inst, event));
  on(grid, "focus", () => {
    if (grid.matches(":focus-visible") && inst.data) arrive(inst);
  });
  on(grid, "blur", () => hideTip(inst));
  on(document, "scroll", () => (hideTip(inst), point(inst, null)), { capture: true, passive: true });
  on(window, "resize", () => resize(inst));
  on(document.fonts, "loadingdone", () => inst.data && layout(inst));
}

function press(inst, event) {
  if (!inst.place || event.ctrlKey || event.metaKey || event.altKey) return;
  const { across, lines, step, ratio } = inst.place;
  const last = inst.data.count - 1;
  const height = Math.min(innerHeight, inst.frame.clientHeight);
  const page = across * Math.max(1, Math.floor((height * ratio) / step.y) - 1);
  const fits = (index) => (index < 0 || index > last ? inst.active : index);
  const moves = {
    ArrowRight: () => fits(inst.active + 1),
    ArrowLeft: () => fits(inst.active - 1),
    ArrowUp: () => fits(inst.active - across),
    ArrowDown: () => (Math.floor(inst.active / across) < lines - 1 ? Math.min(last, inst.active + across) : inst.active),
    PageUp: () => Math.max(inst.active % across, inst.active - page),
    PageDown: () => Math.min(last, inst.active + page),
    Home: () => 0,
    End: () => last,
  };
  if (event.key === "Enter" || event.key === " ") {
    inst.grid.classList.add("keyed");
    if (!event.repeat) choose(inst);
  } else if (event.key === "Escape" && !inst.tip.hidden) {
    hideTip(inst);
  } else if (moves[event.key]) {
    inst.active = moves[event.key]();
    announce(inst);
    arrive(inst);
  } else return;
  event.preventDefault();
  event.stopPropagation(); // Streamlit's own shortcuts
}

function arrive(inst) {
  inst.grid.classList.add("keyed");
  point(inst, null);
  inst.option.scrollIntoView({ block: "nearest", inline: "nearest" });
  // The scroll that this may start hides the tip, so the tip waits for it.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (inst.root.activeElement === inst.grid) showTip(inst, inst.active);
  }));
}

function choose(inst) {
  inst.chosen = inst.active;
  put(inst, inst.ring, inst.chosen);
  announce(inst);
  inst.send("picked", { index: inst.chosen, label: inst.data.label });
}

// Whether the picture leads anywhere.
function openTab(inst, index) {
  const address = inst.data.addresses[index];
  if (address) window.open(new URL(address, location.href), "_blank", "noopener");
  return Boolean(address);
}

function point(inst, index) {
  if (index === inst.hovered) return;
  inst.hovered = index;
  inst.grid.classList.toggle("pointing", index !== null);
  put(inst, inst.hover, index);
  if (index === null) hideTip(inst);
  else showTip(inst, index);
}

// ---- What is said -------------------------------------------------------------------------------

function spoken(inst, index) {
  const { alts, mark } = inst.data;
  return inst.marked.has(index) ? `${alts[index]} (${mark})` : alts[index];
}

// A fresh node at every move: screen readers don't read a changed name on the same one.
function announce(inst) {
  const id = `picture-${inst.active}`;
  const option = inst.option.id === id ? inst.option : inst.option.cloneNode();
  option.id = id;
  option.setAttribute("aria-label", spoken(inst, inst.active));
  option.setAttribute("aria-selected", String(inst.active === inst.chosen));
  option.setAttribute("aria-posinset", String(inst.active + 1));
  option.setAttribute("aria-setsize", String(inst.data.count));
  if (option !== inst.option) inst.option.replaceWith(option);
  inst.option = option;
  put(inst, option, inst.active);
  inst.grid.setAttribute("aria-activedescendant", option.id);
}

function showTip(inst, index) {
  const { tip } = inst;
  tip.textContent = spoken(inst, index);
  tip.hidden = false;
  if (LAYERED && !tip.matches(":popover-open")) tip.showPopover();
  const origin = inst.grid.getBoundingClientRect();
  const { left, top, width, height } = box(inst, index);
  const size = tip.getBoundingClientRect();
  const below = origin.top + top + height + 6;
  const y = below + size.height < innerHeight ? below : origin.top + top - size.height - 6;
  const x = origin.left + left + width / 2 - size.width / 2;
  tip.style.left = `${Math.max(8, Math.min(innerWidth - size.width - 8, x))}px`;
  tip.style.top = `${Math.max(8, y)}px`;
}

function hideTip(inst) {
  inst.tip.hidden = true;
  if (LAYERED && inst.tip.matches(":popover-open")) inst.tip.hidePopover();
}

// Scrolls the grid's own frame, never the page, once for each picture that Python selects.
function reveal(inst) {
  const { frame, sought } = inst;
  inst.sought = null;
  if (sought === null || frame.scrollHeight <= frame.clientHeight) return;
  const { top, height } = box(inst, sought);
  if (top < frame.scrollTop || top + height > frame.scrollTop + frame.clientHeight) {
    frame.scrollTop = top - (frame.clientHeight - height) / 2;
  }
}
