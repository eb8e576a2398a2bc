"""What dropout changes in the hidden dense layers."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.analyses.comparing import (
    DIGITS,
    DROPOUTS,
    EPOCHS,
    ORDERS,
    SILENCED,
    DropoutComparison,
    DropoutTask,
    hidden_dense,
)
from core.charts import training as figures
from core.runs import Run
from pages.kit import halves, links
from pages.kit.charts import finished_chart
from pages.kit.controls import choose
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["dropout"]

DEFINITIONS = {
    "accuracy": "Share of the confirmation half that the network classifies correctly.",
    "selectivity": (
        "Class selectivity index of the layer's median unit, after the ReLU: (mean on its top "
        "class − mean on the others) / (their sum). The top class is chosen on the discovery half "
        "(Morcos et al. 2018)."
    ),
    "correlation": (
        "Mean |correlation| between the activations of two different units of the layer, 0 "
        "(unrelated) to 1 (copies)."
    ),
    "participation": (
        "Participation ratio, (Σλ)² / Σλ² of the eigenvalues of the units' covariance: the "
        "effective number of dimensions in which the layer varies, from 1 to its number of units "
        "(Gao et al. 2017)."
    ),
    "active": (
        "Share of the layer's units above zero, mean over digits; low means sparse. Srivastava et "
        "al. (2014) observed sparser activations with dropout."
    ),
    "auc": (
        "How often a crossed 7 activates the unit more than another 7, ties counting half. The "
        "layer's best unit, chosen on the discovery half."
    ),
    "ablation": (
        "Mean accuracy while 0 to 90 % of the layer's units are set to 0 in random order (Morcos "
        "et al. 2018). The remaining units are not scaled up."
    ),
}
_NAMES = {
    "accuracy": "Accuracy",
    "selectivity": "Median selectivity",
    "correlation": "Mean |correlation|",
    "participation": "Participation ratio",
    "active": "Active units",
    "auc": "AUC, crossed 7",
    "ablation": "Accuracy under ablation",
}


def dropout(run: Run) -> None:
    """What dropout changes in the hidden dense layers of three networks each."""
    layers = hidden_dense(run)
    if not layers:
        st.info(
            f"{run.title} has no hidden dense layer, to which dropout could be "
            "applied: choose LeNet-5 or the multilayer perceptron.",
            icon=":material/do_not_disturb_on:",
        )
        return
    shares = ", ".join(f"{share:g}" for share in DROPOUTS)
    st.caption(
        f"Dropout {shares}, three seeds each, trained briefly: {EPOCHS} epochs on {DIGITS:,} "
        "digits, so accuracies are lower than those of the app's other models. Each dot or line "
        "is one network; grey: networks before training."
    )
    halves.chosen_and_judged("Top classes and the best unit for a crossed 7 were chosen")
    layer = links.one_of("layer", layers, layers[-1])
    choose(layer, "Layer")
    found: DropoutComparison = result_of(DropoutTask(run))
    _compared(found, layer.value())
    name = f"dropout-{file_name(run)}-{layer.value()}"
    download(partial(_table, found, layer.value()), name)


def _table(found: DropoutComparison, layer: str) -> pd.DataFrame:
    """The measures of each network."""
    return _named_dropout(found.table, layer).drop(columns="trained")


@recorded
def _compared(found: DropoutComparison, layer: str) -> None:
    """The measures of each network as charts and as a table."""
    _measures(_named_dropout(found.table, layer))
    _silenced(_named_dropout(found.curves, layer))
    helps = {name: column(_NAMES[name], DEFINITIONS[name]) for name in _MEASURED}
    st.dataframe(_table(found, layer), hide_index=True, column_config=helps)


_MEASURED = ("accuracy", "selectivity", "correlation", "participation", "active", "auc", "ablation")


def _named_dropout(frame: pd.DataFrame, layer: str) -> pd.DataFrame:
    """The rows of a layer, dropout in words, trained networks first."""
    mine = frame[frame["layer"] == layer].drop(columns="layer")
    words = [f"{share:g}" if share == share else "untrained" for share in mine["dropout"]]
    named = mine.assign(dropout=words, trained=mine["dropout"].notna())
    return named.sort_values(["trained", "dropout"], ascending=[False, True], kind="stable")


def _measures(table: pd.DataFrame) -> None:
    """A chart of dots for each measure."""
    columns = st.columns(3)
    for at, name in enumerate(name for name in _MEASURED if name != "accuracy"):
        with columns[at % 3]:
            st.markdown(f"**{_NAMES[name]}**", help=DEFINITIONS[name])
            # an untrained network guesses, with and without its units: it would only hide the rest
            shown = table[table["trained"]] if name == "ablation" else table
            st.vega_lite_chart(finished_chart(figures.dots, shown, name), key=f"dots of {name}")
    st.caption("On the confirmation half.")


def _silenced(curves: pd.DataFrame) -> None:
    """Accuracy while units are silenced, also more of them than in training."""
    st.markdown("**Accuracy while units are silenced**", help=DEFINITIONS["ablation"])
    st.vega_lite_chart(finished_chart(figures.over_shares, curves), key="units silenced")
    st.caption(
        f"Units of the layer set to 0 at random, the mean of {ORDERS} orders, on {SILENCED:,} "
        f"digits of the confirmation half. In training at most {max(DROPOUTS):.0%} were silenced: "
        "beyond that, no network was trained."
    )
