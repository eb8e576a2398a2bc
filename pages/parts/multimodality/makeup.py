"""Which digits are in each mode of a unit: pictures, classes, concepts, and one class alone."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import pictures
from core.analyses.modality.makeup import ATOM
from core.analyses.modality.unit_modes import UnitModes
from core.charts import modality as figures
from core.data import DataSet
from core.data.concepts import CONCEPTS
from core.runtime import cache
from core.runtime.drawings import drawn_once
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.parts.multimodality.layer import View
from pages.parts.multimodality.words import DEFINITIONS, VERDICTS

__all__ = ["makeup"]

_SHOWN = 24  # digits of a mode
_LISTED = 10  # concepts of a mode


def makeup(view: View, index: int, found: UnitModes) -> None:
    """Digits, classes and concepts of each mode of a unit."""
    if found.found.density is None or found.judged.density is None:
        return
    names, colours = figures.mode_names(found.found.n_modes, found.found.apart)
    named = dict(zip(sorted(set(found.where.tolist())), _present(found, names), strict=True))
    st.subheader("Which digits are in each mode")
    _digits(view, index, found, named)
    st.subheader("Two classes, or two ways of writing one?")
    st.markdown(VERDICTS[found.verdict], help=DEFINITIONS["within"])
    left, right = st.columns(2)
    with left:
        _classes(found, named, names, colours)
    with right:
        _within(view, found)
    st.subheader("Concepts in each mode, beyond its classes")
    _concepts(found, named)
    stem = f"{file_name(view.run)}-{view.layer}-{index}-{view.tap}"
    with st.container(horizontal=True):
        download(found.classes, f"mode-classes-{stem}", "Classes as CSV")
        download(found.concepts, f"mode-concepts-{stem}", "Concepts as CSV")
        download(found.within, f"mode-within-{stem}", "Tests within classes as CSV")


def _present(found: UnitModes, names: list[str]) -> list[str]:
    """The names of those modes that have confirmation digits, the atom first."""
    first = ATOM if found.found.apart else 0
    return [names[mode - first] for mode in sorted(set(found.where.tolist()))]


def _digits(view: View, index: int, found: UnitModes, named: dict[int, str]) -> None:
    """Digits of each mode, drawn at random, from the lowest value to the highest."""
    digits = cache.digits(view.run.data, "confirmation")
    for mode, name in named.items():
        inside = int((found.where == mode).sum())
        st.markdown(f"**{name.capitalize()}**: {inside:,} of {len(found.where):,} digits")
        image_grid(
            _some(found, digits, mode, index),
            key=f"grid of mode {mode}",
            label=f"digits in {name} of {view.unit(index)}, {view.read}, {view.run}",
            scale=2,
        )
    st.caption(
        f"Up to {_SHOWN} random digits of each mode, lowest activation first. Below each: class · "
        "activation. Confirmation half."
    )


@drawn_once
def _some(found: UnitModes, digits: DataSet, mode: int, seed: int) -> Grid:
    """Some digits of a mode."""
    few, ids = found.digits_of(mode, _SHOWN, seed=seed), digits.ids
    labels, values = found.labels[few].tolist(), found.values[few].tolist()
    return gallery(
        pictures.ink(digits.images[few, 0].numpy()),
        [
            f"{ids[number]}, a {label}: {value:.2f}"
            for number, label, value in zip(few, labels, values, strict=True)
        ],
        [f"{label} · {value:.1f}" for label, value in zip(labels, values, strict=True)],
    )


@recorded
def _classes(found: UnitModes, named: dict[int, str], names: list[str], colours: list[str]) -> None:
    """The classes of each mode against the base rate."""
    own, shuffled = found.information
    st.markdown("**Classes in each mode**", help=DEFINITIONS["class_share"])
    frame = found.classes.assign(name=[named[mode] for mode in found.classes["mode"]])
    st.vega_lite_chart(
        finished_chart(figures.class_makeup, frame, names, colours), key="classes of modes"
    )
    few = sorted(named[mode] for mode in found.small)
    small = f" Fewer than 30 digits: {', '.join(few)}." if few else ""
    st.caption(
        f"The mode carries {own:.3f} bits of class information; 95th percentile under shuffled "
        f"labels: {shuffled:.3f}. Grey ticks: share among all digits. Orange: 95 % "
        f"intervals.{small}",
        help=DEFINITIONS["information"],
    )


@recorded
def _within(view: View, found: UnitModes) -> None:
    """The density of each class alone, and which of them has more than one mode."""
    st.markdown("**Each class alone**", help=DEFINITIONS["within"])
    several, suspects = found.several, found.suspected
    chart = finished_chart(
        figures.by_class, found.grid, found.ridges, several, f"activation, {view.read}"
    )
    st.vega_lite_chart(chart, key="densities of classes")
    said = f"more than one mode in {_listed(several)}" if several else "no class has two modes"
    also = f"; candidates by the critical bandwidth: {_listed(suspects)}" if suspects else ""
    st.caption(
        f"Dip within classes, q < .05: {said}{also}. Orange: classes with more than one mode. "
        "Exact zeros are excluded."
    )
    with st.expander("The tests of each class"):
        helps = {
            name: column(title, about)
            for name, (title, about) in {
                "zeros": ("exact zeros", DEFINITIONS["zeros"]),
                "dip": ("dip", DEFINITIONS["dip"]),
                "p": ("p", DEFINITIONS["p"]),
                "q": ("q", DEFINITIONS["within"]),
                "sensitive_p": ("p, critical width", DEFINITIONS["sensitive_p"]),
                "sensitive_q": ("q, critical width", DEFINITIONS["sensitive_p"]),
            }.items()
        }
        st.dataframe(found.within, hide_index=True, column_config=helps)


def _listed(classes: list[int]) -> str:
    """Classes as a list in a sentence."""
    return ", ".join(map(str, classes))


@recorded
def _concepts(found: UnitModes, named: dict[int, str]) -> None:
    """The concepts that a mode holds more or fewer of than its classes explain."""
    table = found.beyond_classes(_LISTED)
    if table.empty:
        st.info(
            "None: every concept is as frequent in each mode as the mode's classes explain (false "
            "discovery rate 5 %).",
            icon=":material/do_not_disturb_on:",
        )
        return
    shown = pd.DataFrame(
        {
            "mode": [named[mode] for mode in table["mode"]],
            "concept": [CONCEPTS[name].text for name in table["concept"]],
            **{name: table[name] for name in ("share", "base", "expected", "more", "q")},
            "digits": table["count"],
        }
    )
    helps = {
        "share": column("share of the mode", "Share of the mode's digits that have the concept."),
        "base": column("base rate", DEFINITIONS["base"]),
        "expected": column("expected", DEFINITIONS["expected"]),
        "more": column("beyond classes", DEFINITIONS["more"]),
        "q": column("q", DEFINITIONS["concept_q"]),
    }
    st.dataframe(shown, hide_index=True, column_config=helps)
    st.caption(
        f"The {_LISTED} concepts of each mode that differ most from what its classes explain, "
        f"among those with q below .05. {DEFINITIONS['expected']}"
    )
