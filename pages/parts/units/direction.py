"""The page of a direction: what it gives on digits, what it tells, its maximized input."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.analyses.profiles.task import Study
from core.charts import directions
from core.claims.carrier_task import CarrierTask
from core.claims.direction_task import DirectionStudy, DirectionTask
from core.data import DataSet
from core.data.concepts import CONCEPTS
from core.runtime.drawings import drawn_once
from core.text import literal
from core.units import DirectionId, UnitId
from pages.kit import halves, links, place
from pages.kit.carried import ABOUT, sentence
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download
from pages.kit.waiting import result_of
from pages.parts.units.erased import erased
from pages.parts.units.examples import judged

__all__ = ["direction", "direction_option"]

_SHOWN = 12  # digits of each kind, and units


def direction_option(study: Study) -> links.Option[str]:
    """The direction that the address names; none by default."""
    model, layers = study.run.architecture, study.model.layers

    def parse(text: str) -> str:
        found = DirectionId.parse(text)
        known = CONCEPTS.get(found.concept)
        if (found.model, found.layer in layers) != (model, True):
            raise ValueError(
                f"{literal(text)} is of no layer of {model}: choose one of {', '.join(layers)}."
            )
        if known is None or known.label is None:
            raise ValueError(
                f"{literal(found.concept)} is no concept that a direction is fitted to: write "
                f"{model}/{found.layer}/crossed-7, or a class such as class-7."
            )
        return str(found)

    return links.Option("direction", "", parse, str, ("", f"{model}/{study.widest}/class-7"))


def direction(study: Study, name: DirectionId) -> None:
    """The direction's page."""
    st.title(str(name))
    concept = CONCEPTS[name.concept].text
    st.caption(
        f"The direction of {name.layer} along which digits with “{concept}” lie apart from those "
        "without it: L2-regularized logistic regression, read before the nonlinearity.",
        help=ABOUT,
    )
    with st.container(horizontal=True):
        place.link("ask", "Ask about it", layer=name.layer, concept=name.concept)
        st.button("All units", icon=":material/grid_view:", on_click=links.put, kwargs={"direction": None})  # fmt: skip # noqa: E501
    halves.chosen_and_judged("It was fitted")
    carrier = CarrierTask(study.run, name.layer, name.concept)
    st.markdown(sentence(result_of(carrier), carrier), help=ABOUT)
    found = result_of(DirectionTask(study.run, name.layer, name.concept))
    digits = judged(study)
    left, right = st.columns(2)
    with left:
        _density(found, digits, name)
    with right:
        _curve(found)
    st.subheader("Digits on which it is highest, and lowest", anchor=False)
    label = CONCEPTS[name.concept].label
    for kind, order, of in (
        (f"Highest of class {label}", -1, label),
        (f"Lowest of class {label}", 1, label),
        ("Highest of all digits", -1, None),
    ):
        st.markdown(f"**{kind}**")
        grid = _extremes(found, digits, order, of)
        image_grid(grid, key=f"grid of {order} {of}", label=f"{kind}, {name}", scale=1)
    st.caption("Below each: its class · what the direction gives. Digits of the confirmation half.")
    st.subheader("Its maximized input", anchor=False)
    _maximized(found, digits, name)
    erased(study, name)
    left, right = st.columns(2)
    with left:
        _concepts(found)
    with right:
        _units(found, name)


@recorded
def _density(found: DirectionStudy, digits: DataSet, name: DirectionId) -> None:
    """What it gives on digits with the concept, on others of the class, and on all others."""
    st.markdown("**What it gives on digits**")
    chart = finished_chart(directions.densities, _groups(found, digits, name), "direction")
    st.vega_lite_chart(chart, key="densities")
    st.caption("Above 0, the concept is the more likely one. Each line adds up to 100 %.")


def _groups(found: DirectionStudy, digits: DataSet, name: DirectionId) -> Mapping[str, np.ndarray]:
    """What it gives, by group of digits."""
    concept, labels = CONCEPTS[name.concept], digits.labels.numpy()
    own = (labels == concept.label) & ~found.present
    groups = {concept.text: found.read[found.present]}
    if own.any():
        groups[f"{concept.label} without it"] = found.read[own]
    return groups | {"all other digits": found.read[~found.present & ~own]}


@recorded
def _curve(found: DirectionStudy) -> None:
    """How many digits it takes."""
    st.markdown("**Fitted on fewer digits**")
    curve = pd.DataFrame(vars(found.curve))
    before = np.stack([of.auc for of in found.untrained])
    untrained = pd.DataFrame(
        {
            "digits": found.curve.digits,
            "auc": np.median(before, 0),
            "low": before.min(0),
            "high": before.max(0),
        }
    )
    st.vega_lite_chart(finished_chart(directions.fewer_digits, curve, untrained), key="fewer")
    st.caption(
        f"Blue: this network. Grey: {len(before)} networks before training, median and range. "
        "Where both are as high, training added nothing to what a direction can read."
    )


@drawn_once
def _extremes(found: DirectionStudy, digits: DataSet, order: int, label: int | None) -> Grid:
    """The digits, of a class or all, on which it is highest (order −1) or lowest (1)."""
    among = np.arange(len(digits)) if label is None else np.flatnonzero(digits.labels == label)
    numbers = among[np.argsort(order * found.read[among], kind="stable")[:_SHOWN]]
    labels, names = digits.labels.numpy()[numbers].tolist(), digits.ids
    values = found.read[numbers]
    tiles = pictures.enlarged(pictures.ink(digits.images.numpy()[numbers, 0]), 3)
    return gallery(
        tiles,
        [
            f"{names[number]}, a {label}: {value:.2f}"
            for number, label, value in zip(numbers, labels, values, strict=True)
        ],
        [f"{label} · {value:.2f}" for label, value in zip(labels, values, strict=True)],
    )


def _maximized(found: DirectionStudy, digits: DataSet, name: DirectionId) -> None:
    """The image on which it is highest, beside the digits that come closest."""
    if not np.isfinite(found.image).all():
        st.warning(
            "No starting image gave this direction any gradient, so there is no picture of it: "
            "small changes of the image had no effect on it."
        )
        return
    image_grid(
        _beside(found, digits), key="grid of maximized", label=f"maximized input of {name}", scale=5
    )
    most = float(found.read.max())
    st.caption(
        f"It gives {found.image_value:.2f} on the image, and at most {most:.2f} on a digit. "
        "Optimized along the covariance of digits, pixels in 0..1.",
        help=DEFINITIONS["share"],
    )


@drawn_once
def _beside(found: DirectionStudy, digits: DataSet) -> Grid:
    """The maximized image, then the four highest digits."""
    best = np.argsort(-found.read, kind="stable")[:4]
    images = np.concatenate([found.image, digits.images.numpy()[best, 0]])
    words = [f"{digits.ids[number]}: {found.read[number]:.2f}" for number in best]
    shown = [f"real · {found.read[number]:.2f}" for number in best]
    return gallery(pictures.ink(images), ["maximized input", *words], ["maximized", *shown])


def _concepts(found: DirectionStudy) -> None:
    """How well it tells other concepts."""
    st.markdown("**What else it tells**")
    table = found.concepts.assign(
        concept=[CONCEPTS[name].text for name in found.concepts["concept"]]
    )
    st.dataframe(
        table,
        hide_index=True,
        height=320,
        column_config={
            "concept": "Concept",
            "auc": column("AUC", DEFINITIONS["auc"]),
            "digits": "Digits",
            "among": "Told among",
        },
    )
    download(table, "direction-concepts")


def _units(found: DirectionStudy, name: DirectionId) -> None:
    """The units that it is made of."""
    st.markdown("**The units it is made of**")
    order = np.argsort(-np.abs(found.shares), kind="stable")
    table = pd.DataFrame(
        {
            "unit": [str(UnitId(name.model, name.layer, int(at))) for at in order],
            "share": found.shares[order],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=320,
        column_config={
            "unit": "Unit",
            "share": st.column_config.NumberColumn(
                "Share", format="percent", help="Of the direction's squared weights, each weight "
                "times the unit's standard deviation; minus where the weight is negative.",
            ),
        },
    )  # fmt: skip
    few = int((np.cumsum(np.sort(np.abs(found.shares))[::-1]) < 0.9).sum()) + 1
    st.caption(f"{few} of {len(order)} units make up 90 % of it.")
    download(table, "direction-units")
