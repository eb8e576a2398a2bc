"""Every claim tried in this session, refuted ones too, corrected for how many there were."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.claims.evidence import SUPPORTED, Evidence
from core.claims.ledger import corrected
from core.runtime.drawings import drawn_once
from pages.kit.glossary import DEFINITIONS
from pages.kit.recorded import recorded
from pages.kit.tables import download

__all__ = ["ledger", "remember"]

_CLAIMS = "claims of this session"
_MOST = 500


def remember(evidence: Evidence, address: dict[str, str]) -> None:
    """Add a claim, once; the same question is the same claim."""
    claims = st.session_state.setdefault(_CLAIMS, {})
    key = tuple(sorted(address.items()))
    if key not in claims and len(claims) < _MOST:
        claims[key] = {
            "claim": evidence.question,
            "replacement value": evidence.ablation,
            "seed": str(evidence.training.get("seed", "")),
            "necessary": evidence.verdict,
            "sufficient": evidence.verdicts["sufficient"],
            "effect": evidence.effect,
            "p": evidence.p_value,
        }


def ledger() -> None:
    """The table of claims, the newest first."""
    claims = st.session_state.get(_CLAIMS, {})
    if not claims:
        return
    st.subheader("All claims of this session", anchor=False)
    frame = _frame(list(claims.values()))
    _table(frame)
    download(frame, "ledger", "Download all claims")


@drawn_once
def _frame(claims: list[dict[str, object]]) -> pd.DataFrame:
    """The claims, corrected for their number."""
    return corrected(pd.DataFrame(claims))


@recorded
def _table(frame: pd.DataFrame) -> None:
    """The claims, the newest first, and how many are supported."""
    st.dataframe(
        frame[::-1],
        hide_index=True,
        column_config={
            "effect": st.column_config.NumberColumn(
                "Effect", format="percent", help=DEFINITIONS["effect"]
            ),
            "p": st.column_config.NumberColumn(format="%.4f", help=DEFINITIONS["p_value"]),
            "q": st.column_config.NumberColumn(format="%.4f", help=DEFINITIONS["q_ledger"]),
        },
    )
    found = int((frame["after correction"] == SUPPORTED).sum())
    st.caption(
        f"{len(frame)} claim{'s' * (len(frame) > 1)} tried, {found} of them supported after "
        "correction. If you test twenty claims, one is likely to pass by luck, so all of them "
        "stay listed until you close this tab."
    )
