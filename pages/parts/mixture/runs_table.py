"""The table of runs: every mixture that is kept, the perceptron, and the single expert."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from core.architectures.mixture.summary import RunSummary
from core.models.mixture import MixtureSettings
from core.models.settings import Settings
from core.runs import Run
from pages.kit.recorded import recorded
from pages.kit.tables import column, download
from pages.parts.mixture.words import GATES

__all__ = ["MEASURED", "name_of", "table"]

MEASURED = {
    "accuracy": ("Accuracy", "Share of the 10,000 test digits classified correctly."),
    "active": ("Active experts", GATES["active"]),
    "normalized": ("Information", GATES["normalized"]),
    "balance": ("Balance", GATES["balance"]),
    "entropy": (
        "Entropy",
        "Entropy of a digit's weights divided by log₂ N, mean over digits: 0 decided, 1 "
        "undecided. Always 0 for k = 1.",
    ),
}
OTHERS = {
    "bits": GATES["bits"],
    "limit": "95th percentile of these bits under shuffling of the experts.",
    "load variation": GATES["load variation"],
    "importance variation": GATES["importance variation"],
    "low": "Lower end of the 95 % Wilson interval of the accuracy.",
    "high": "Upper end of the 95 % Wilson interval of the accuracy.",
}
_WHOLE = {
    "parameters": "Number of learned parameters.",
    "multiplications": (
        "Multiplications per digit: those of the gate and of the k experts that are run."
    ),
}


def table(
    run: Run, runs: Mapping[Settings, RunSummary], base: Mapping[Settings, RunSummary]
) -> None:
    """All runs that are kept, best first, the current one marked."""
    every = {**runs, **base}
    _table(run, every)
    name = f"{run.data}-seed{run.seed}"
    download(partial(_frame, run, every), f"gate-runs-{name}")
    if any(len(of.load) for of in every.values()):
        label = "Load and importance of each expert as CSV"
        download(partial(_loads, every), f"gate-runs-load-{name}", label)


@recorded
def _table(run: Run, every: dict[Settings, RunSummary]) -> None:
    """The table, with the definition of each column."""
    st.markdown(f"**All {len(every)} trained networks**, seed {run.seed}")
    wanted = {name: column(*of) for name, of in MEASURED.items()}
    wanted |= {name: column(name, about) for name, about in OTHERS.items()}
    wanted["accuracy"] = st.column_config.NumberColumn(
        "Accuracy", format="%.4f", help=MEASURED["accuracy"][1]
    )
    wanted["active"] = st.column_config.NumberColumn(
        MEASURED["active"][0], format="%d", help=MEASURED["active"][1]
    )
    for name, about in _WHOLE.items():
        wanted[name] = st.column_config.NumberColumn(name, format="localized", help=about)
    st.dataframe(_frame(run, every), hide_index=True, column_config=wanted)
    st.caption(
        "▶: the network selected above. Perceptron: 784 → 264 → 10, without a gate, so its gate "
        "columns are empty. Use the settings above to select another network."
    )


def _frame(run: Run, every: Mapping[Settings, RunSummary]) -> pd.DataFrame:
    """A row for each run, the best first."""
    frame = pd.DataFrame([_row(run, network, of) for network, of in every.items()])
    return frame.sort_values("accuracy", ascending=False, kind="stable")


def _loads(every: Mapping[Settings, RunSummary]) -> pd.DataFrame:
    """Load and importance of each expert of the runs that have a gate."""
    return pd.concat([_experts(network, of) for network, of in every.items() if len(of.load)])


def _row(run: Run, network: Settings, of: RunSummary) -> dict[str, object]:
    """A run's settings and numbers."""
    row: dict[str, object] = {"": "▶" if network == run.settings else "", "run": name_of(network)}
    mixture = network if isinstance(network, MixtureSettings) else None
    several = mixture is not None and mixture.experts > 1
    row["experts"] = mixture.experts if mixture else None
    row["k"] = str(mixture.chosen or "all") if mixture else ""
    row["α"] = mixture.balance if mixture and several else None
    row["noise"] = mixture.noise if mixture and several else None
    return {**row, **of.row()}


def name_of(network: Settings) -> str:
    """A network in the table: a mixture by its settings, the perceptron by its title."""
    if not isinstance(network, MixtureSettings):
        return "perceptron"
    return network.in_words() or "default"


def _experts(network: Settings, of: RunSummary) -> pd.DataFrame:
    """Load and importance of each expert of a run."""
    return of.experts().assign(run=name_of(network))
