"""The map of a gate: digits between the experts that share them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core import pictures
from core.architectures.mixture import GateReport
from core.architectures.mixture.assignment import GateAssignment
from core.architectures.mixture.charts import gate_map as figures
from core.architectures.mixture.gate_map import DECIDED, GateMap, gate_map, scattered, undecided
from core.data import DataSet
from core.runtime.drawings import DRAWINGS, drawn_once
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import marks
from pages.kit.digit import followed_number
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name
from pages.parts.mixture.controls import View

__all__ = ["view"]

SHOWN = links.several("shown", [str(label) for label in range(10)])
MOST = 2500  # digits drawn
SCATTER = 0.08  # of the distance from the middle to a corner
LEAST = 24  # undecided digits shown
DEFINITIONS = {
    "map": (
        "Each digit lies at the weighted mean of the corners; the weights are those that the gate "
        "gives to the experts."
    ),
    "kept": (
        "Share of the variance of the weights that the position on the map explains linearly: 1 "
        "for two or three experts; 2 / (N - 1) if each of N experts has the full weight for "
        "equally many digits."
    ),
    "decided": f"Share of digits for which one expert has a weight of {DECIDED:g} or more.",
}


def view(view: View) -> None:
    """The maps after and before training, and the digits that are decided least."""
    experts = view.routing.experts
    if experts == 1:
        st.info(
            "With a single expert every weight is 1, so there is nothing to map: choose two or "
            "more experts. Each expert is then a corner, and each digit lies between the experts "
            "that share it. Two experts make a line and three a triangle, which show the weights "
            "exactly; more make a polygon, which shows only part of them.",
            icon=":material/looks_one:",
        )
        return
    taken = view.taken()
    drawn = DRAWINGS.get(gate_map, taken.confirmation.gates)
    before = DRAWINGS.get(gate_map, taken.untrained.gates, drawn.order)
    _said(view, taken, drawn, before)
    shown, own = _classes(), followed_number(taken.digits)
    _maps(taken, drawn, before, own, shown)
    _caption(taken, own, experts)
    download(partial(_table, drawn, taken), f"gate-map-{file_name(view.run)}-{view.gate}")
    _least(taken)


@recorded
def _said(view: View, taken: GateAssignment, drawn: GateMap, before: GateMap) -> None:
    """How decided the gate is, and whether classes stay together, in sentences."""
    information, least = taken.confirmation.class_information, taken.untrained.class_information
    st.markdown(
        f"**{drawn.decided:.0%} of the digits go to one expert** with a weight of {DECIDED:g} "
        f"or more; before training {before.decided:.0%}. Classes stay together: the expert "
        f"with the highest weight carries {information.bits:.2f} bits of class information "
        f"(95th percentile under shuffling: {information.limit:.3f}; before training "
        f"{least.bits:.2f}; maximum: 3.32)."
        if information.bits > max(information.limit, least.bits)
        else f"**{drawn.decided:.0%} of the digits go to one expert** with a weight of {DECIDED:g} "
        f"or more; before training {before.decided:.0%}. Classes don't stay together: the "
        f"expert with the highest weight carries {information.bits:.2f} bits of class information "
        f"(95th percentile under shuffling: {information.limit:.3f}; before training "
        f"{least.bits:.2f}).",
        help=DEFINITIONS["decided"],
    )
    exact = view.routing.experts < 4
    st.markdown(
        "Apart from the scatter of the points, the map is exact: no information about the weights "
        "is lost."
        if exact
        else f"**The map keeps {drawn.kept:.0%} of the variance of the weights** "
        f"({before.kept:.0%} before training): a digit in the middle may be undecided, or "
        "shared by experts on opposite sides. Experts that share digits are placed next to "
        "each other.",
        help=DEFINITIONS["kept"],
    )


def _classes() -> list[int]:
    """The classes to show: those of the address, or all."""
    shown = marks(SHOWN, "Classes shown (all if none is chosen)")
    return [int(label) for label in shown] or list(range(10))


@recorded
def _maps(
    taken: GateAssignment, drawn: GateMap, before: GateMap, own: int, shown: list[int]
) -> None:
    """The maps after and before training, side by side."""
    with st.container(horizontal=True, gap="large"):
        for name, of, report in (
            ("Trained", drawn, taken.confirmation),
            ("Before training", before, taken.untrained),
        ):
            with st.container(width=figures.SIDE + 30):
                st.markdown(f"**{name}**", help=DEFINITIONS["map"])
                st.vega_lite_chart(
                    _map(of, report, taken.digits, own, shown),
                    width="content",
                    key=f"map of the gate, {name}",
                )


def _map(drawn: GateMap, report: GateReport, half: DataSet, own: int, shown: list[int]) -> Any:
    """The map of one network, trained or not, with its corners named."""
    digits = _drawn(len(half))
    points = scattered(drawn.points, SCATTER)
    frame = _frame(report, half, digits).assign(x=points[digits, 0], y=points[digits, 1])
    x, y = drawn.points[own]
    followed = _frame(report, half, np.array([own])).assign(x=x, y=y)
    around = list(drawn.order)
    corners = pd.DataFrame(drawn.corners[around], columns=["x", "y"]).assign(
        expert=around, load=report.load[around]
    )
    return finished_chart(figures.gates, frame, corners, followed, shown, half.file)


def _drawn(digits: int) -> NDArray[np.int64]:
    """The digits that are drawn, of so many."""
    return np.arange(0, digits, -(-digits // MOST), dtype=np.int64)


def _frame(report: GateReport, half: DataSet, digits: NDArray[np.int64]) -> pd.DataFrame:
    """Place in the file, class and highest weights of the digits."""
    two = np.argsort(-report.gates[digits], axis=1, kind="stable")[:, :2]
    weights = np.take_along_axis(report.gates[digits], two, 1)
    columns: dict[str, Any] = {"place": half.places[digits].numpy(), "class": report.labels[digits]}
    for at in range(two.shape[1]):
        columns[f"expert {at}"] = two[:, at]
        columns[f"weight {at}"] = [round(100 * float(f"{each:.2f}")) for each in weights[:, at]]
    return pd.DataFrame(columns)


def _two(report: GateReport, number: int) -> str:
    """The two experts with the highest weights, in words."""
    weights = report.gates[number]
    first = np.argsort(-weights, kind="stable")[:2]
    return ", ".join(f"expert {expert} {weights[expert]:.2f}" for expert in first)


@recorded
def _caption(taken: GateAssignment, own: int, experts: int) -> None:
    """How to read the maps. own: the number of the followed digit."""
    half, drawn = taken.digits, len(_drawn(len(taken.digits)))
    names = "Corners: experts" + (", by number," if experts > 8 else "")
    st.caption(
        f"{drawn:,} of the {len(taken.right):,} digits of the confirmation half. {names} with the "
        "share of digits for which they have the highest weight. Each point is shifted at random "
        f"by up to {SCATTER:g} of the way from the middle to a corner, so that overlapping digits "
        f"can be seen; point at one to read its weights. Orange ring: {half.ids[own]}, "
        f"a {half.labels[own]}, not shifted. If the untrained gate gives all experts the same "
        "weight, all points lie in the middle before training."
    )


def _table(drawn: GateMap, taken: GateAssignment) -> pd.DataFrame:
    """Every digit: name, class, place on the map, and weights."""
    report, (x, y) = taken.confirmation, drawn.points.T
    weights = {f"expert {at}": of for at, of in enumerate(report.gates.T)}
    names = list(taken.digits.ids)
    return pd.DataFrame({"digit": names, "class": report.labels, "x": x, "y": y, **weights})


def _least(taken: GateAssignment) -> None:
    """The digits that the gate decides least; a click follows one."""
    report = taken.confirmation
    numbers = DRAWINGS.get(undecided, report.gates, LEAST)
    st.subheader("Least decided")
    if not len(numbers):
        st.markdown("This gate gives every digit to a single expert with full weight.")
        return
    picked = image_grid(
        _undecided(taken, tuple(numbers.tolist())),
        key="grid of undecided digits",
        label="Digits on which the gate is least decided",
        scale=1,
    )
    st.caption(
        f"The {len(numbers)} digits of the confirmation half with the highest entropy of the "
        f"gate's weights, from {report.entropy[numbers[0]]:.2f} bits down to "
        f"{report.entropy[numbers[-1]]:.2f}; mean of all digits {report.mean_entropy:.2f}. Below: "
        "class: the two experts with the highest weights. Click a digit to follow it."
    )
    if picked is not None:
        links.put(digit=taken.digits.ids[numbers[picked]], view="digit")
        st.rerun()


@drawn_once
def _undecided(taken: GateAssignment, numbers: tuple[int, ...]) -> Grid:
    """The digits of these numbers, with the experts that share them."""
    report, ids = taken.confirmation, taken.digits.ids
    images = taken.digits.images[list(numbers), 0].numpy()
    return gallery(
        pictures.enlarged(pictures.ink(images), 3),
        [f"{ids[at]}, a {report.labels[at]}: {_two(report, at)}" for at in numbers],
        [f"{report.labels[at]}: {_short(report, at)}" for at in numbers],
    )


def _short(report: GateReport, number: int) -> str:
    """The two experts with the highest weights, by number."""
    return " · ".join(str(at) for at in np.argsort(-report.gates[number], kind="stable")[:2])
