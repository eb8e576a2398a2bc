"""The table of runs: every mixture that is kept, the perceptron, and the single expert."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.architectures.mixture.summary import RunSummary
from core.models.gated import Routing
from core.models.registry import title
from core.models.retired import routing_of
from core.runs import Run
from pages.kit.tables import column, download

__all__ = ["MEASURED", "table"]

MEASURED = {
    "accuracy": ("Accuracy", "Share of the 10,000 test digits classified correctly."),
    "active": (
        "Active experts",
        "Experts that receive more than 1/(4N) of the digits, a quarter of an equal share.",
    ),
    "normalized": (
        "Information",
        "Mutual information of a digit's class and its expert, divided by the mean entropy of "
        "both, 0 to 1.",
    ),
    "balance": (
        "Balance",
        "N Σ f P (Fedus et al. 2021), f load and P importance: 1 if equal, N if one gets "
        "everything.",
    ),
    "entropy": (
        "Entropy",
        "Entropy of a digit's weights divided by log₂ N, mean over digits: 0 decided, 1 "
        "undecided. Always 0 for k = 1.",
    ),
}
OTHERS = {
    "bits": "The same information in bits; the class itself has 3.32.",
    "limit": "95th percentile under shuffling of the experts, in bits.",
    "load variation": (
        "CV² of the load, with the population variance: 0 if equal, N − 1 if one expert gets "
        "everything."
    ),
    "importance variation": (
        "CV² of the importance: 0 if equal, N − 1 if one expert gets everything."
    ),
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
    run: Run, runs: Mapping[str, tuple[Routing, RunSummary]], base: Mapping[str, RunSummary]
) -> None:
    """All runs that are kept, best first, the current one marked."""
    every = {**{name: of for name, (_, of) in runs.items()}, **base}
    frame = pd.DataFrame([_row(run, name, of) for name, of in every.items()])
    frame = frame.sort_values("accuracy", ascending=False, kind="stable")
    st.markdown(f"**All {len(frame)} trained networks**, seed {run.seed}")
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
    st.dataframe(frame, hide_index=True, column_config=wanted)
    st.caption(
        "▶: the network selected above. Perceptron: 784 → 264 → 10, without a gate, so its gate "
        "columns are empty. Use the settings above to select another network."
    )
    loads = [_experts(name, of) for name, of in every.items() if len(of.load)]
    name = f"{run.data}-seed{run.seed}"
    download(frame, f"gate-runs-{name}")
    if loads:
        download(
            pd.concat(loads), f"gate-runs-load-{name}", "Load and importance of each expert as CSV"
        )


def _row(run: Run, name: str, of: RunSummary) -> dict[str, object]:
    """A run's settings and numbers."""
    routing = routing_of(name)
    settings: dict[str, object] = {"": "▶" if name == run.model else "", "run": _title(name)}
    settings["experts"] = routing.experts if routing else None
    settings["k"] = ("all" if routing.dense else str(routing.k)) if routing else ""
    settings["α"] = routing.weight if routing and routing.experts > 1 else None
    settings["noise"] = routing.noise if routing and routing.experts > 1 else None
    return {**settings, **of.row()}


def _title(name: str) -> str:
    """The name of a run in the table."""
    return title(name).removeprefix("Mixture of experts, ")


def _experts(name: str, of: RunSummary) -> pd.DataFrame:
    """Load and importance of each expert of a run."""
    return of.experts().assign(run=name)
