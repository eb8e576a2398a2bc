"""The concepts there are: what each is, reliability it is, how many digits have it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analyses.described import DescribedDigits
from core.data.concepts import CONCEPTS
from core.data.concepts.by_eye import Agreement
from core.data.concepts.task import RuleAgreementTask
from pages.kit import links
from pages.kit.recorded import recorded
from pages.kit.waiting import result_of

__all__ = ["concepts"]

_EXACTNESS = {
    "pixels": "exact, from the pixels",
    "skeleton": "depends on how the skeleton is computed",
    "rule": "from a rule; the generator or a person knows better",
}
_JUDGED = links.one_of("rules", ("hidden", "judged"))


def concepts(described: DescribedDigits) -> None:
    """A row for each concept, and the rules compared with labels made by a person."""
    with st.expander("The concepts", icon=":material/list:", expanded=_JUDGED.value() == "judged"):
        _listed(described)
        if _JUDGED.value() == "judged":
            _agreement(result_of(RuleAgreementTask()))
        else:
            st.button(
                "Compare the rules with labels made by a person",
                icon=":material/visibility:",
                on_click=links.put,
                kwargs={"rules": "judged"},
            )


@recorded
def _listed(described: DescribedDigits) -> None:
    """A row for each concept."""
    measured = described.measured
    present = measured.present().mean(0)
    known = described.digits.parts is not None
    rows = [
        {
            "concept": CONCEPTS[name].text,
            "what": CONCEPTS[name].about,
            "has a location": CONCEPTS[name].placed,
            "reliability": "known, because it was drawn"
            if known and CONCEPTS[name].part
            else _EXACTNESS[CONCEPTS[name].exactness],
            "digits": share,
        }
        for name, share in zip(measured.names, present, strict=True)
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=300,
        column_config={"digits": st.column_config.NumberColumn(format="percent")},
    )


def _agreement(found: dict[str, Agreement]) -> None:
    """Precision and recall of the rules on digits that they were not fitted to."""
    rows = [{"concept": CONCEPTS[name].text, **of.row()} for name, of in found.items()]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            f"{kind}{end}": st.column_config.NumberColumn(format="%.3f")
            for kind in ("precision", "recall")
            for end in ("", " from", " to")
        },
    )
    st.caption(
        "MNIST training digits labelled by a person, to which the rules were not fitted; doubtful "
        "ones are left out. 95 % Wilson intervals."
    )
