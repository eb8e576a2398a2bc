"""The map of a gate: digits between the experts that share them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core import pictures
from core.architectures.mixture import GateReport
from core.architectures.mixture.charts import gate_map as figures
from core.architectures.mixture.gate_map import DECIDED, GateMap, gate_map, scattered, undecided
from core.architectures.mixture.tasks import Taken
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.digit import digit_number
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid
from pages.kit.tables import download, file_name
from pages.parts.mixture.controls import View

__all__ = ["view"]

SHOWN = links.several("shown", [str(label) for label in range(10)])
MOST = 2500  # digits drawn
SCATTER = 0.08  # of the distance from the middle to a corner
LEAST = 24  # undecided digits shown
DEFINITIONS = {
    "map": (
        "A digit lies at the mean of the corners, each weighted by the gate's weight of its expert."
    ),
    "kept": (
        "Share of the variance of the weights that a digit's place on the map tells, by the best "
        "linear guess: 1 of two or three experts; 2 / (N - 1) where each of N experts is sure of "
        "as many digits."
    ),
    "decided": f"Share of digits of which one expert has a weight of {DECIDED:g} or more.",
}


def view(view: View) -> None:
    """The maps after and before training, and the digits that are decided least."""
    experts = view.routing.experts
    if experts == 1:
        st.info(
            "One expert has every digit with weight 1, so there is nothing to map: choose 2 or "
            "more experts. Each is then a corner, and each digit lies between the experts that "
            "share it: two make a line and three a triangle, which show the weights exactly; more "
            "make a polygon, which keeps only a part of them.",
            icon=":material/looks_one:",
        )
        return
    taken = view.taken()
    drawn = gate_map(taken.confirmation.gates)
    before = gate_map(taken.untrained.gates, drawn.order)
    _said(view, taken, drawn, before)
    shown = _classes()
    digits = np.arange(0, len(taken.right), -(-len(taken.right) // MOST), dtype=np.int64)
    with st.container(horizontal=True, gap="large"):
        for name, of, report in (
            ("Trained", drawn, taken.confirmation),
            ("Before training", before, taken.untrained),
        ):
            with st.container(width=figures.SIDE + 30):
                st.markdown(f"**{name}**", help=DEFINITIONS["map"])
                _map(name, of, report, digits, shown)
    _caption(taken, len(digits), experts)
    download(_table(drawn, taken.confirmation), f"gate-map-{file_name(view.choice)}-{view.gate}")
    _least(taken)


def _said(view: View, taken: Taken, drawn: GateMap, before: GateMap) -> None:
    """What the maps say, in numbers."""
    told, least = taken.confirmation.class_information, taken.untrained.class_information
    st.markdown(
        f"**{drawn.decided:.0%} of the digits are one expert's**, with a weight of {DECIDED:g} or "
        f"more; before training {before.decided:.0%}. Classes keep together: the expert with the "
        f"highest weight tells {told.bits:.2f} bit of the class (95 % of shuffles at most "
        f"{told.limit:.3f}; before training {least.bits:.2f}; all there is: 3.32)."
        if told.bits > max(told.limit, least.bits)
        else f"**{drawn.decided:.0%} of the digits are one expert's**, with a weight of "
        f"{DECIDED:g} or more; before training {before.decided:.0%}. Classes don't keep together: "
        f"the expert with the highest weight tells {told.bits:.2f} bit of the class (95 % of "
        f"shuffles at most {told.limit:.3f}; before training {least.bits:.2f}).",
        help=DEFINITIONS["decided"],
    )
    exact = view.routing.experts < 4
    st.markdown(
        "The map is exact but for the scatter of the points: nothing of the weights is lost."
        if exact
        else f"**The map keeps {drawn.kept:.0%} of the variance of the weights** "
        f"({before.kept:.0%} before training): a digit in the middle may be undecided, or between "
        "experts that lie opposite. Experts that share digits are neighbours.",
        help=DEFINITIONS["kept"],
    )


def _classes() -> list[int]:
    """The classes to show: those of the address, or all."""
    SHOWN.shown()
    st.pills(
        "Classes shown, all unless you choose",
        [str(label) for label in range(10)],
        selection_mode="multi",
        key=SHOWN.key,
        on_change=SHOWN.changed,
    )
    return [int(label) for label in SHOWN.value()] or list(range(10))


def _map(
    name: str, drawn: GateMap, report: GateReport, digits: NDArray[np.int64], shown: list[int]
) -> None:
    """One map."""
    own = _followed(report)
    frame, points = _frame(report, digits), scattered(drawn.points, SCATTER)
    frame = frame.assign(x=points[digits, 0], y=points[digits, 1])
    x, y = drawn.points[own]
    followed = _frame(report, np.array([own])).assign(x=x, y=y)
    around = list(drawn.order)
    corners = pd.DataFrame(drawn.corners[around], columns=["x", "y"]).assign(
        expert=around, load=report.load[around]
    )
    chart = finished_chart(figures.gates, frame, corners, followed, shown)
    st.vega_lite_chart(chart, width="content", key=f"map of the gate, {name}")


def _followed(report: GateReport) -> int:
    """The digit of the address."""
    return min(digit_number().value(), len(report.labels) - 1)


def _frame(report: GateReport, digits: NDArray[np.int64]) -> pd.DataFrame:
    """Number, class and highest weights of the digits."""
    told = [_two(report, number) for number in digits]
    return pd.DataFrame({"digit": digits, "class": report.labels[digits], "weights": told})


def _two(report: GateReport, number: int) -> str:
    """The two experts with the highest weights, in words."""
    weights = report.gates[number]
    first = np.argsort(-weights, kind="stable")[:2]
    return ", ".join(f"expert {expert} {weights[expert]:.2f}" for expert in first)


def _caption(taken: Taken, drawn: int, experts: int) -> None:
    """How to read the maps."""
    own = _followed(taken.confirmation)
    names = "Corners: experts" + (", by number," if experts > 8 else "")
    st.caption(
        f"{drawn:,} of the {len(taken.right):,} digits of the confirmation half. {names} with the "
        f"share of digits that they weigh most. Each digit is moved at random by up to {SCATTER:g} "
        "of the way from the middle to a corner, so that digits in one place show; its weights are "
        f"read by pointing at it. Orange ring: test digit {own}, a "
        f"{taken.confirmation.labels[own]}, where it is. Before training all lie in the middle if "
        "the gate weighs all experts alike."
    )


def _table(drawn: GateMap, report: GateReport) -> pd.DataFrame:
    """Every digit: class, place on the map, and weights."""
    weights = {f"expert {at}": of for at, of in enumerate(report.gates.T)}
    x, y = drawn.points.T
    return pd.DataFrame({"digit": range(len(x)), "class": report.labels, "x": x, "y": y, **weights})


def _least(taken: Taken) -> None:
    """The digits that the gate decides least; a click follows one."""
    report = taken.confirmation
    numbers = undecided(report.gates, LEAST)
    st.subheader("Decided least")
    if not len(numbers):
        st.markdown("This gate gives every digit to one expert with all its weight.")
        return
    told = [_two(report, number) for number in numbers]
    labels = report.labels[numbers]
    images = taken.half.digits.images[numbers, 0].numpy()
    picked = image_grid(
        gallery(
            pictures.enlarged(pictures.ink(images), 3),
            [
                f"test digit {number}, a {label}: {text}"
                for number, label, text in zip(numbers, labels, told, strict=True)
            ],
            [f"{at}, {of}: {_short(report, at)}" for at, of in zip(numbers, labels, strict=True)],
        ),
        key="grid of undecided digits",
        label="Digits that the gate decides least",
        scale=1,
    )
    st.caption(
        f"The {len(numbers)} digits of the confirmation half with the highest entropy of the "
        f"gate's weights, from {report.entropy[numbers[0]]:.2f} bits down to "
        f"{report.entropy[numbers[-1]]:.2f}; mean of all digits {report.mean_entropy:.2f}. Below: "
        "number, class: the two experts with the highest weights. A click follows the digit."
    )
    if picked is not None:
        links.put(digit=int(numbers[picked]), view="digit")
        st.rerun()


def _short(report: GateReport, number: int) -> str:
    """The two experts with the highest weights, by number."""
    return " · ".join(str(at) for at in np.argsort(-report.gates[number], kind="stable")[:2])
