"""The training of a layer as a film: what each unit's pictures are at every recorded batch.

After David Bau's LeNet movie (2016). For every unit there are two rows of pictures, a column a
class: its gradients above, its activations below. A person scrubs over every batch, plays, and pins
units, which then come first and get a chart of their class scalars.

    film = Film(units, 10, frames, upper, lower, loss, accuracy, scalars, preferred)
    pins = movie_player(film, key="film", label="lenet5/linear_0 on mnist", pinned=pinned)
    if pins is not None:
        st.query_params["pins"] = ",".join(map(str, pins))

A film is several megabytes. It goes to the browser as a file that it keeps; through Streamlit's
socket goes only what the file holds where.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.json_text import dumps
from pages.kit import files

PICTURE = 28
"""Height and width of one picture of a sheet, in pixels."""

_HERE = Path(__file__).parent
_HTML = """
<div class="player">
  <div class="top">
    <div class="timeline">
      <div class="caption">loss <span class="worst"></span></div>
      <canvas class="loss" aria-hidden="true"></canvas>
      <input class="scrub" type="range" min="0" step="1"
             title="Arrow keys: one batch back or forward; with Shift: to the next pictures.
Space: play or pause.">
      <canvas class="ticks" aria-hidden="true"></canvas>
    </div>
    <div class="scores">
      <div class="caption">accuracy of each class, %</div>
      <canvas class="bars" role="img"></canvas>
    </div>
  </div>
  <div class="controls">
    <button class="play" type="button"><svg viewBox="0 0 16 16" width="14" height="14"
      aria-hidden="true"><path fill="currentColor"/></svg><span>Play</span></button>
    <label>Speed <select class="speed"><option value="1">1×</option><option value="2">2×</option>
      <option value="4">4×</option></select></label>
    <label class="gaining">Gain <input class="gain" type="range" min="1" max="8" step="0.5"
      value="1"> <span class="gained">1×</span></label>
    <span class="readout"></span>
  </div>
  <p class="legend">Each unit has a <b>gradient</b> row above and an <b>activation</b> row
    below, with one column per class. Mid-grey is 0 and darker is more, on one scale for the
    whole movie; gain increases the contrast of pictures and bars. Bars between the rows: the
    unit’s running gradient <i>g</i> for each class at this batch, <span class="up">up</span> or
    <span class="down">down</span>. <span class="line"></span> the unit’s class, the one with
    the highest gradient. <span class="dot"></span> the class changed at this point, as at the
    orange ticks above: the taller, the more units. Click a unit, or press Enter on it, to pin
    it.</p>
  <div class="box">
    <div class="grid" role="listbox" tabindex="0" aria-multiselectable="true">
      <div class="ruler"></div>
      <canvas class="heads" aria-hidden="true"></canvas>
      <div class="ring hovered" hidden></div>
      <div class="pictures" aria-hidden="true"></div>
      <div class="marks" aria-hidden="true"></div>
      <div class="ring active" role="option"></div>
    </div>
  </div>
</div>
<p class="problem" role="alert" hidden></p>
"""
_COMPONENT = st.components.v2.component(
    "movie_player",
    html=_HTML,
    css=(_HERE / "movie_player.css").read_text(encoding="utf-8"),
    js=(_HERE / "movie_player.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, eq=False)
class Film:
    """The training of one layer: sheets of pictures at some batches, and numbers at every batch.

    `frames` are the batches at which pictures were taken, 0 being before the first step. `upper`
    and `lower` hold a WebP sheet for each frame, of (units x 28, classes x 28) pixels, a strip of
    28 pixels a unit from top to bottom: its gradients and its activations, mid-grey for 0 and
    darker for more. `loss` (batches,) and `scalars` (batches, units, classes), the gradient number
    of a unit for a class as int8 with 127 for the layer's largest, are of batch 1 and on.
    `accuracy` (frames, classes) is from 0 to 1, and `preferred` (frames, units) is the class of the
    highest gradient.

    Raises `ValueError` when the parts don't belong together.
    """

    units: tuple[str, ...]
    classes: int
    frames: tuple[int, ...]
    upper: tuple[bytes, ...]
    lower: tuple[bytes, ...]
    loss: NDArray[np.floating[Any]]
    accuracy: NDArray[np.floating[Any]]
    scalars: NDArray[np.int8]
    preferred: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        if not self.units or len(set(self.units)) != len(self.units):
            raise ValueError(
                f"units has {len(self.units)} names, {len(set(self.units))} of them different: "
                "give one or more, each once."
            )
        if not 1 <= self.classes <= 255:
            raise ValueError(f"classes is {self.classes}: it must be 1 to 255.")
        self._check_numbers()
        self._check_frames()
        for name, sheets in {"upper": self.upper, "lower": self.lower}.items():
            self._check_sheets(name, sheets)

    @property
    def batches(self) -> int:
        """How many batches the training took."""
        return len(self.loss)

    def _check_numbers(self) -> None:
        if self.loss.ndim != 1 or not len(self.loss):
            raise ValueError(f"loss has shape {self.loss.shape}: it must be (batches,), 1 or more.")
        frames, units = len(self.frames), len(self.units)
        for name, found, expected, axes in (
            ("accuracy", self.accuracy.shape, (frames, self.classes), "frames, classes"),
            (
                "scalars",
                self.scalars.shape,
                (self.batches, units, self.classes),
                "batches, units, classes",
            ),
            ("preferred", self.preferred.shape, (frames, units), "frames, units"),
        ):
            if found != expected:
                raise ValueError(f"{name} has shape {found}: it must be {expected} ({axes}).")
        if self.scalars.dtype != np.int8:
            raise ValueError(f"scalars is {self.scalars.dtype}: it must be int8.")
        if wrong := sorted(set(self.preferred.ravel().tolist()) - set(range(self.classes))):
            raise ValueError(
                f"preferred has {wrong[0]}: it must be a class, 0 to {self.classes - 1}."
            )

    def _check_frames(self) -> None:
        if not self.frames:
            raise ValueError("frames is empty: give the batch of one sheet or more.")
        if list(self.frames) != sorted(set(self.frames)):
            raise ValueError("frames must ascend, each batch once.")
        if self.frames[0] < 0 or self.frames[-1] > self.batches:
            outside = self.frames[0] if self.frames[0] < 0 else self.frames[-1]
            raise ValueError(f"frames has {outside}: the batches are 0 to {self.batches}.")

    def _check_sheets(self, name: str, sheets: tuple[bytes, ...]) -> None:
        if len(sheets) != len(self.frames):
            raise ValueError(
                f"{name} has {len(sheets)} sheets for {len(self.frames)} frames: give one for each."
            )
        expected = (len(self.units) * PICTURE, self.classes * PICTURE)
        for index, sheet in enumerate(sheets):
            if (found := _sheet_size(f"{name}[{index}]", sheet)) != expected:
                raise ValueError(
                    f"{name}[{index}] is {found[0]} x {found[1]} pixels (height x width): "
                    f"{len(self.units)} units of {self.classes} pictures need "
                    f"{expected[0]} x {expected[1]}."
                )

    @cached_property
    def _packed(self) -> tuple[dict[str, object], bytes]:
        """A table of contents, and the bytes that it points into."""
        parts = {
            "loss": self.loss.astype("<f4").tobytes(),
            "accuracy": self.accuracy.astype("<f4").tobytes(),
            "scalars": self.scalars.tobytes(),
            "preferred": self.preferred.astype(np.uint8).tobytes(),
            **{f"upper{index}": sheet for index, sheet in enumerate(self.upper)},
            **{f"lower{index}": sheet for index, sheet in enumerate(self.lower)},
        }
        body = b"".join(parts.values())
        ends = np.cumsum([len(part) for part in parts.values()]).tolist()
        spans = zip(parts, [0, *ends[:-1]], ends, strict=True)
        contents = {
            "units": self.units,
            "classes": self.classes,
            "frames": [int(frame) for frame in self.frames],
            "batches": self.batches,
            "spans": {name: (start, end) for name, start, end in spans},
        }
        print_of_all = hashlib.sha256(dumps(contents).encode() + body).hexdigest()
        return {**contents, "print": print_of_all}, body


@dataclass(frozen=True)
class PinState:
    """What the browser last said: the pins, in their order, and the ones it had been given.

    `turn` numbers what it says; `given` is the pins and the turn of what Python had last sent.
    """

    pinned: list[int]
    turn: int
    given: tuple[list[int], int]


def movie_player(
    film: Film,
    *,
    key: str,
    label: str,
    pinned: Sequence[int] = (),
    on_pin: Callable[[list[int]], object] | None = None,
) -> list[int] | None:
    """The pinned units on the one rerun that follows a change of the pins; None on every other.

    `label` says which film this is, such as "lenet5/linear_0 on mnist". It is read aloud, and ties
    pins to their film: those made under another label are dropped. `pinned` units come first, in
    this order: keep the answer and pass it next time. `on_pin(pinned)` runs before the page does.
    The film starts at its last batch, stands still, and keeps its place over reruns. Inside
    `st.form` a change of the pins only arrives with the form.

    Raises `ValueError` when `pinned` has something that is no unit of the film, or has it twice.
    """
    count = len(film.units)
    _check_pins(pinned, count)
    just_now = f"{key}: pins of just now"

    def sent_pins() -> PinState | None:
        state = st.session_state.get(key)
        return pin_state(state.get("told") if state else None, count, label)

    def answer() -> None:
        if (said := sent_pins()) is not None:
            st.session_state[just_now] = True
            if on_pin is not None:
                on_pin(said.pinned)

    said = sent_pins()
    now = said.pinned if st.session_state.pop(just_now, False) and said is not None else None
    given = _given([int(index) for index in pinned] if now is None else now, said)
    _COMPONENT(key=key, data=_message(film, label, given), on_told_change=answer)
    return now


def pin_state(sent: object, count: int, label: str) -> PinState | None:
    """What a browser said, or None unless it is of the film of this label, with `count` units."""
    if not isinstance(sent, dict) or sent.get("label") != label:
        return None
    given = sent.get("given")
    if not isinstance(given, dict):
        return None
    for one in (sent, given):
        if not _are_pins(one.get("pinned"), count) or not _is_whole(one.get("turn")):
            return None
    return PinState(sent["pinned"], sent["turn"], (given["pinned"], given["turn"]))


def _given(pinned: list[int], said: PinState | None) -> tuple[list[int], int]:
    """The pins and the turn to send, which differ from the last only if the browser must change.

    If the browser has these pins already, it gets again what it was given when it changed them
    itself, and its own order of clicks stands.
    """
    if said is None:
        return pinned, 0
    return said.given if said.pinned == pinned else (pinned, said.turn)


def _message(film: Film, label: str, given: tuple[list[int], int]) -> dict[str, object]:
    """The film's table of contents, where its bytes are, and the pins."""
    contents, body = film._packed
    return {
        **contents,
        "address": files.address(body, str(contents["print"])),
        "label": label,
        "given": {"pinned": given[0], "turn": given[1]},
    }


def _check_pins(pinned: Iterable[int], count: int) -> None:
    seen: set[int] = set()
    for index in pinned:
        if not 0 <= index < count:
            raise ValueError(f"pinned has {index}: the movie has units 0 to {count - 1}.")
        if index in seen:
            raise ValueError(f"pinned has {index} twice: give each unit once.")
        seen.add(index)


def _are_pins(sent: object, count: int) -> bool:
    if not isinstance(sent, list) or not all(_is_whole(index) for index in sent):
        return False
    return len(set(sent)) == len(sent) and all(index < count for index in sent)


def _is_whole(sent: object) -> bool:
    return isinstance(sent, int) and not isinstance(sent, bool) and sent >= 0


def _sheet_size(name: str, sheet: bytes) -> tuple[int, int]:
    """Height and width of a WebP file, from its header."""
    try:
        with Image.open(io.BytesIO(sheet), formats=["WEBP"]) as image:
            return image.height, image.width
    except UnidentifiedImageError:
        raise ValueError(
            f"{name} starts with {sheet[:8]!r}: it must be the bytes of a WebP file."
        ) from None
