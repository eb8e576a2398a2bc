"""How often the same procedure says yes in networks that can't know the answer."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analyses.profiles.task import Study
from core.claims.evidence import Evidence
from core.claims.findings import QUESTIONS
from core.claims.nulls.rates import NullRates
from core.claims.nulls.scores import NullScores
from core.claims.nulls.task import NullRatesTask, NullScoresTask
from core.statistics.limits import ALPHA
from pages.kit import links
from pages.kit.controls import pick
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.recorded import recorded
from pages.kit.tables import column, download
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked

__all__ = ["nulls"]

CHOSEN = links.one_of("nulls", ("none", "untrained", "shuffled"))
_WORDS = {"none": "Don't ask", "untrained": "Untrained", "shuffled": "Trained on shuffled labels"}


def nulls(study: Study, asked: Asked, evidence: Evidence) -> None:
    """The procedure asked of null networks, when that is wanted."""
    st.subheader("How often does this say yes of networks that can't know?", anchor=False)
    kind = pick(CHOSEN, "Networks", names=_WORDS.__getitem__, bare=True)
    if kind == "none":
        st.caption(
            "The best units of 20 networks are chosen and tested as this claim is. Untrained "
            "networks take about as long as 20 tests; networks on shuffled labels are trained "
            "first, which takes as long as 20 trainings, once for all visitors.",
            help=DEFINITIONS["nulls"],
        )
        return
    claim = (study.run, asked.layer, asked.concept, len(asked.units), asked.kind, kind)
    scores = result_of(NullScoresTask(*claim))
    rates = result_of(NullRatesTask(*claim))
    table = _table(evidence, scores, rates)
    _shown(table)
    _said(evidence, scores)
    download(table, f"nulls-{kind}")


def _table(evidence: Evidence, scores: NullScores, rates: NullRates) -> pd.DataFrame:
    """A row for each part of the claim."""
    table = rates.table()
    table["verdict"] = [evidence.verdicts[name] for name in QUESTIONS]
    table["score"] = [evidence.scores.get(name) for name in QUESTIONS]
    known = [name in scores.scores for name in QUESTIONS]
    table["limit"] = [
        scores.limit(name) if there else None for name, there in zip(QUESTIONS, known, strict=True)
    ]
    table["question"] = [NAMES[name] for name in QUESTIONS]
    return table[["question", "verdict", "score", "limit", "yes", "of", "low", "high"]]


@recorded
def _shown(table: pd.DataFrame) -> None:
    """The table."""
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "question": "Part of the claim",
            "verdict": "This claim",
            "score": column("These units", DEFINITIONS["null_score"]),
            "limit": column("Null networks, 95th percentile", DEFINITIONS["null_score"]),
            "yes": st.column_config.NumberColumn("Supported", help="Null networks of which it is."),
            "of": "of",
            "low": st.column_config.NumberColumn(
                "from", format="percent", help="95 % Wilson interval of that share."
            ),
            "high": st.column_config.NumberColumn("to", format="percent"),
        },
    )


@recorded
def _said(evidence: Evidence, scores: NullScores) -> None:
    """Whether the claim does better than these networks."""
    beaten = [
        name
        for name in QUESTIONS
        if name in evidence.scores
        and name in scores.scores
        and scores.p_value(name, evidence.scores[name]) <= ALPHA
    ]
    words = ", ".join(NAMES[name].lower() for name in beaten) or "none of its parts"
    st.caption(
        f"These units score more than the best ones of 95 % of {scores.networks} {scores.what} on: "
        f"{words}."
    )
