"""The verdict on a claim and what it rests on: effects by group, controls, pairs of digits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import charts
from core.analyses.profiles.task import Study
from core.analyses.relevance.task import LayerOverlapTask, RelevanceTask
from core.claims.card import group_name
from core.claims.evidence import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED, Controls, Evidence, Finding
from core.claims.operators import IN_WORDS
from core.claims.task import PairEffectsTask
from core.data.concepts import CONCEPTS
from core.interventions.bootstrap import MEASURES
from core.runtime import cache
from core.runtime.drawings import DRAWINGS
from pages.kit import links, relevance
from pages.kit.charts import finished_chart
from pages.kit.controls import pick
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.recorded import recorded
from pages.kit.tables import download
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked

__all__ = ["controls", "effects", "finding", "matter", "pairs", "verdict"]

COLOURS = {SUPPORTED: "green", NOT_SUPPORTED: "blue", INCONCLUSIVE: "orange"}
ICONS = {
    SUPPORTED: ":material/check_circle:",
    NOT_SUPPORTED: ":material/block:",
    INCONCLUSIVE: ":material/help:",
}
_FIELD = {"accuracy": "accuracy", "margin": "margin of logits", "nll": "negative log-likelihood"}
MEASURE = links.one_of("measure", MEASURES)
REFERENCES = ("zero", "mean")  # by which the digits that units matter for are told


@recorded
def verdict(evidence: Evidence) -> None:
    """Four findings, each with its reason and n."""
    names = list(evidence.findings)
    for pair in (names[:2], names[2:]):
        for column, name in zip(st.columns(2), pair, strict=True):
            with column:
                finding(name, evidence.findings[name], _untrained(evidence, name))


def _untrained(evidence: Evidence, name: str) -> str:
    """What untrained networks' best units score, beside these units."""
    if name not in evidence.scores or name not in evidence.untrained:
        return ""
    before = evidence.untrained[name]
    high = np.quantile(before, 0.95, method="higher")
    return (
        f"Score {evidence.scores[name]:.2f}; the best units of {len(before)} untrained networks: "
        f"{np.median(before):.2f} in the median, {high:.2f} at the 95th percentile."
    )


def finding(name: str, found: Finding, beside: str = "") -> None:
    """One finding; what isn't supported is drawn as large as what is."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{NAMES[name]}**", help=DEFINITIONS[name])
        st.badge(found.verdict, icon=ICONS[found.verdict], color=COLOURS[found.verdict])  # type: ignore[arg-type]
        n = f" n = {found.n:,}" if found.n else ""
        st.markdown(f"{found.reason}{n}".replace("~", r"\~"))
        if beside:
            st.caption(beside, help=DEFINITIONS["null_score"])


def effects(evidence: Evidence) -> None:
    """What removing the units changes, in every group of digits, with its sign."""
    st.subheader("What changes without these units", anchor=False)
    measure = pick(MEASURE, "Measure", names=lambda name: _FIELD[name].capitalize(), bare=True)
    _changes(evidence, measure)
    with st.expander("As a table", icon=":material/table:"):
        table = DRAWINGS.get(_shown, evidence, measure)
        _table(table)
        download(table, "changes")


def _by_group(evidence: Evidence, measure: str) -> pd.DataFrame:
    """What removing the units changes, a row for each group of digits."""
    frame = pd.DataFrame([vars(of) for of in evidence.changes if of.measure == measure])
    frame["kind"] = ["concept" if of == evidence.concept else "other" for of in frame["group"]]
    frame["group"] = frame["group"].map(group_name)
    return frame.drop_duplicates("group")


@recorded
def _changes(evidence: Evidence, measure: str) -> None:
    """The chart of these changes."""
    frame = _by_group(evidence, measure)
    title = f"{_FIELD[measure]}, after − before"
    st.vega_lite_chart(
        finished_chart(charts.changes, frame, title, percent=measure == "accuracy"),
        key="chart of changes",
    )
    worse = "Right" if measure == "nll" else "Left"
    st.caption(
        f"Each group of the {evidence.confirmation:,} confirmation digits, with paired bootstrap "
        "intervals (2,000 draws within each class); Wilson intervals are in the table. Orange: "
        f"digits with the concept. {worse} of 0 means worse.",
        help=DEFINITIONS["effect"],
    )


def _shown(evidence: Evidence, measure: str) -> pd.DataFrame:
    """The table of the changes, of accuracies with their intervals."""
    shown = _by_group(evidence, measure).drop(columns=["measure", "kind"])
    if measure != "accuracy":
        return shown
    changes = [of for of in evidence.changes if of.measure == measure]
    return shown.join(pd.DataFrame([of.share_intervals() for of in changes]))


@recorded
def _table(table: pd.DataFrame) -> None:
    """The table as it is."""
    st.dataframe(table, hide_index=True)


@recorded
def controls(evidence: Evidence) -> None:
    """The claim's effect among those of random sets."""
    st.subheader("Compared with random units of similar strength", anchor=False)
    for column, of, words in zip(
        st.columns(2),
        (evidence.controls, evidence.kept_controls),
        ("**Removed**", "**All others removed**"),
        strict=True,
    ):
        with column:
            _beside(of, words)


def _beside(of: Controls, words: str) -> None:
    """One histogram of controls with the claim in it."""
    st.markdown(f"{words}: p = {of.p_value:.3f}", help=DEFINITIONS["matched controls"])
    if not len(of):
        st.info("The layer has too few other units to form control sets.")
        return
    st.vega_lite_chart(
        finished_chart(charts.beside_controls, of.own, of.effects, of.measure),
        key=f"chart of {of.measure}",
    )
    st.caption(
        f"Orange: these units, {of.own:.3f}. Grey: {len(of)} sets of equally many other units, "
        f"{of.distinct} of them distinct."
    )


def matter(study: Study, asked: Asked) -> None:
    """The digits that the units, removed together, matter for, whatever the concept."""
    st.subheader(
        f"Digits {'they matter' if len(asked.units) > 1 else 'it matters'} for", anchor=False
    )
    if asked.layer == study.model.layers[-1]:
        st.caption(relevance.LAST_LAYER)
        return
    if not relevance.wanted(DRAWINGS.get(LayerOverlapTask.fits, study.model, asked.layer)):
        return
    kind = asked.kind if asked.kind in REFERENCES else "zero"  # the same for every digit
    found = result_of(RelevanceTask(study.run, asked.layer, asked.units, kind))
    units = len(asked.units)
    if not len(found.trained.digits):
        relevance.nothing(found.trained, units)
        return
    digits = cache.digits(study.run.data, "confirmation")
    whose = f"{units} units of {asked.layer}" if units > 1 else f"{asked.layer}/{asked.units[0]}"
    relevance.row(
        found,
        digits,
        label=f"Digits that {whose} of {study.run} matter for",
        replaced=IN_WORDS[kind],
    )
    relevance.overlap(found, units)


def pairs(study: Study, asked: Asked) -> None:
    """What adding the part to the same digit does, with the units and without them."""
    part, label = CONCEPTS[asked.concept].part, asked.label
    if part is None or label is None:
        return
    st.subheader(f"Adding and erasing the {part}", anchor=False)
    units = asked.units
    frame = result_of(PairEffectsTask(study.run, asked.layer, units, asked.concept, asked.kind))
    _added(frame, part, label, len(units))


@recorded
def _added(frame: pd.DataFrame, part: str, label: int, units: int) -> None:
    """The effects of a part on the answer and on the units. units: how many were removed."""
    for at, (_, of) in enumerate(frame.groupby("pairs", sort=False)):
        answers = of[~of["effect"].str.startswith("unit ")]
        st.markdown(f"**{answers['made'].iloc[0].capitalize()}**", help=DEFINITIONS["paired"])
        rows = answers.rename(columns={"effect": "name"})
        left, right = st.columns(2)
        title = f"margin of class {label}, with the {part} − without it"
        left.vega_lite_chart(
            finished_chart(charts.differences, rows, title), key=f"chart of pairs {at}"
        )
        left.caption(
            f"How the {part} changes the network's output. Difference: without the units − intact."
        )
        mine = of[of["effect"].str.startswith("unit ")].rename(columns={"effect": "name"})
        right.vega_lite_chart(finished_chart(charts.differences, mine), key=f"own pairs {at}")
        more = f" Shown: the first {len(mine)} of {units}." if len(mine) < units else ""
        right.caption(f"How it changes the units themselves.{more}")
    change = frame[frame["effect"] == "difference"].iloc[-1]
    excluded = change["low"] > 0 or change["high"] < 0
    st.markdown(
        f"Without the units, the effect of the {part} on the margin differs by "
        f"{change['mean']:+.2f} (95 % interval {change['low']:+.2f} to {change['high']:+.2f}, "
        f"{change['n']} pairs): "
        + (
            "the network's response to it depends on these units."
            if excluded
            else "no dependence on these units is shown."
        )
    )
