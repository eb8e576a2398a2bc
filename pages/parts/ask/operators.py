"""One claim under every operator: does the verdict depend on how the units are removed?"""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core import charts
from core.analyses.profiles.task import Study
from core.claims.findings import VERDICTS
from core.claims.operators import (
    ASKED,
    IN_WORDS,
    WITHIN_CLASSES,
    OperatorFindings,
    agreement,
    operators_for,
)
from core.claims.task import OperatorsTask
from core.claims.verdicts import LOSS
from core.runtime import cache
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import toggle
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.recorded import recorded
from pages.kit.tables import download
from pages.kit.waiting import result_of
from pages.parts.ask.claim import Asked

__all__ = ["COMPARED", "comparison", "found", "panel"]

COMPARED = links.switch("operators")


def found(study: Study, asked: Asked) -> OperatorFindings | None:
    """What each operator says, where this was asked for and is there."""
    return cache.find(_task(study, asked)) if COMPARED.value() else None


def comparison(study: Study, asked: Asked) -> None:
    """The claim under each operator, computed when it is asked for."""
    st.subheader("Does it depend on how the units are removed?", anchor=False)
    kinds = operators_for(asked.concept)
    wanted = toggle(
        COMPARED, f"Compare all {len(kinds)} replacement values", help=DEFINITIONS["operator"]
    )
    if not wanted:
        st.caption(
            "Removing by zero is one choice of several, and may do harm of its own: it can give "
            "the network activations that it never sees. The comparison takes about as long as "
            f"{len(kinds)} tests."
        )
        return
    of = result_of(_task(study, asked))
    panel(of, whole=len(kinds) < len(IN_WORDS))
    with st.expander("As a table", icon=":material/table:"):
        _table(of)
        download(partial(_named, of), "operators")


def _task(study: Study, asked: Asked) -> OperatorsTask:
    """The claim under each operator."""
    return OperatorsTask(study.run, asked.layer, asked.units, asked.concept)


def panel(of: OperatorFindings, *, whole: bool) -> None:
    """The verdicts of all operators, and whether they agree. whole: for the concept of a class."""
    _agreements(of)
    _losses(of, whole)


@recorded
def _agreements(of: OperatorFindings) -> None:
    """A sentence for each of the two questions."""
    for question in ASKED:
        said, verdicts = agreement(of.by_kind, question)
        by_verdict = {
            verdict: [IN_WORDS[kind] for kind, own in verdicts.items() if own == verdict]
            for verdict in VERDICTS
        }
        each = "; ".join(
            f"*{verdict}* with {', '.join(kinds)}" for verdict, kinds in by_verdict.items() if kinds
        )
        if said == "agree":
            text = f"all {len(verdicts)} replacement values agree: {next(iter(verdicts.values()))}."
        elif said == "differ":
            text = f"they don't all agree, but none contradicts another: {each}."
        else:
            text = f"they contradict one another: {each}."
        st.markdown(f"**{NAMES[question]}**: {text}", help=DEFINITIONS[f"{question} by operator"])


@recorded
def _losses(of: OperatorFindings, whole: bool) -> None:
    """The chart of the losses."""
    table = of.table()
    table["operator"] = table["operator"].map(IN_WORDS)
    st.vega_lite_chart(
        finished_chart(charts.losses_by_operator, table, LOSS), key="chart of operators"
    )
    more = (
        f" Of a whole class {' and '.join(IN_WORDS[kind] for kind in WITHIN_CLASSES)} take "
        "nothing away, so they are left out."
        if whole
        else ""
    )
    st.caption(
        "Loss of accuracy on the concept's digits of the confirmation half, by what stands for the "
        "removed units, with 95 % bootstrap intervals. Colour: the verdict on necessity. "
        f"Dashed: the {LOSS:.0%} that necessary units cost, over the whole interval.{more}"
    )


def _named(of: OperatorFindings) -> pd.DataFrame:
    """The table, operators in words."""
    table = of.table()
    return table.assign(operator=table["operator"].map(IN_WORDS))


@recorded
def _table(of: OperatorFindings) -> None:
    """A row for each operator."""

    def share(title: str, about: str) -> ColumnConfig:
        return st.column_config.NumberColumn(title, format="percent", help=about)

    st.dataframe(
        _named(of),
        hide_index=True,
        column_config={
            "operator": st.column_config.TextColumn(
                "Replacement value", help=DEFINITIONS["operator"]
            ),
            "necessary": st.column_config.TextColumn("Necessary", help=DEFINITIONS["necessary"]),
            "sufficient": st.column_config.TextColumn("Sufficient", help=DEFINITIONS["sufficient"]),
            "loss": share("Loss", DEFINITIONS["accuracy lost"]),
            "from": share("from", "Lower end of the loss's 95 % interval."),
            "to": share("to", "Upper end of the loss's 95 % interval."),
            "p": st.column_config.NumberColumn(format="%.4f", help=DEFINITIONS["p_value"]),
            "kept": share("Kept alone", DEFINITIONS["kept"]),
            "kept p": st.column_config.NumberColumn(
                "p, kept alone", format="%.4f", help=DEFINITIONS["kept p"]
            ),
            "detectable": share("Smallest loss found", DEFINITIONS["detectable"]),
        },
    )
