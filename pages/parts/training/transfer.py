"""What layers from one task are worth for another, and what becomes of their units."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.analyses.comparing import (
    TRANSFER_DIGITS,
    TRANSFER_EPOCHS,
    Transfer,
    TransferTask,
    movable,
)
from core.charts import training as figures
from core.runs import Run
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["transfer"]

DEFINITIONS = {
    "transfer": (
        "AnB: the first n layers come from the network for 0 to 4 and are frozen; the others are "
        "trained from scratch on 5 to 9. AnB+: the same, with all layers fine-tuned. BnB and "
        "BnB+: the first layers come from the network for 5 to 9, which shows what freezing and "
        "retraining cost by themselves. random: the first layers are frozen at random weights, "
        "the lower bound. base: all layers trained on 5 to 9 (Yosinski et al. 2014)."
    ),
    "drift": (
        "1 − correlation of a unit's mean activations on the classes 0 to 4, before and after: 0: "
        "the same tuning, whatever its scale; 1: unrelated; 2: opposite. Median unit of the layer."
    ),
    "survival": (
        "A unit's label is the class among 0 to 4 that it separates best from the other four "
        "(AUC). Share of units that keep their label. By chance: if the labels after fine-tuning "
        "were shuffled among units."
    ),
}
_NAMES = {
    "drift": "Median drift",
    "survival": "Unchanged labels",
    "chance": "by chance",
}


def transfer(run: Run) -> None:
    """What layers from digits 0 to 4 are worth for 5 to 9, and what becomes of their units."""
    if not movable(run):
        st.info(
            f"{run.title} is not a chain of layers with separate weights, so its "
            "first layers can't be transferred: choose LeNet-5, the simple CNN or the multilayer "
            "perceptron.",
            icon=":material/do_not_disturb_on:",
        )
        return
    st.caption(
        f"Trained briefly, {TRANSFER_EPOCHS} epochs on the digits 5 to 9, or 0 to 4, among "
        f"{TRANSFER_DIGITS:,} digits; three seeds, one line per network.",
        help=DEFINITIONS["transfer"],
    )
    found: Transfer = result_of(TransferTask(run))
    left, right = st.columns(2)
    with left:
        _transferred(found)
    with right:
        _drift(found)
    _tuning(run, found)


@recorded
def _transferred(found: Transfer) -> None:
    """Accuracy on 5 to 9 by number of transferred layers."""
    st.markdown("**Accuracy on digits 5 to 9**", help=DEFINITIONS["transfer"])
    accuracy = found.accuracy
    frame = accuracy[accuracy["kind"] != "base"]
    chart = finished_chart(
        figures.over_layers,
        frame,
        "first",
        "accuracy",
        title="accuracy",
        name="transferred layers",
        percent=True,
    )
    st.vega_lite_chart(chart, key="transferred")
    base = accuracy[accuracy["kind"] == "base"]["accuracy"]
    st.caption(
        "On the digits 5 to 9 of the confirmation half. Trained from scratch on 5 to 9: "
        f"{', '.join(f'{value:.2%}' for value in base)}. Grey: first layers frozen at random "
        "weights. Transferred layers bring additional training with them, so compare A with B, "
        "and both with grey, rather than with training from scratch."
    )


@recorded
def _drift(found: Transfer) -> None:
    """How far fine-tuning moves the tuning of units."""
    st.markdown("**Drift of tuning to 0 to 4, in AnB+**", help=DEFINITIONS["drift"])
    chart = finished_chart(
        figures.over_layers,
        _named_kinds(found.tuning()),
        "layer",
        "drift",
        title="median drift",
        name="layer",
    )
    st.vega_lite_chart(chart, key="drift")
    st.caption(
        "Between the unit in the network for 0 to 4 and the same unit after fine-tuning on 5 to "
        "9, by number of transferred layers; for frozen layers (AnB) it is 0 by definition. "
        "Controls with the same first weights: before any training (grey), and trained on 5 to 9 "
        "alone. Measured on the digits 0 to 4 of the discovery half."
    )


_CONTROLS = {"base": "only 5 to 9", "untrained": "untrained"}


def _named_kinds(tuning: pd.DataFrame) -> pd.DataFrame:
    """The same with the kind of network in words."""
    words = [
        f"{first} layer{'s' * (first > 1)}" if kind == "AnB+" else _CONTROLS[kind]
        for kind, first in zip(tuning["kind"], tuning["first"], strict=True)
    ]
    return tuning.assign(kind=words)


def _tuning(run: Run, found: Transfer) -> None:
    """Drift and survival of labels as tables to download."""
    _changed(found)
    with st.container(horizontal=True):
        download(found.units, f"tuning-{file_name(run)}", "Every unit as CSV")
        download(partial(_changes, found), f"drift-{file_name(run)}", "Layers as CSV")
        download(found.accuracy, f"transfer-{file_name(run)}", "Accuracies as CSV")


def _changes(found: Transfer) -> pd.DataFrame:
    """The change of each layer's units."""
    return _named_kinds(found.tuning()).drop(columns="first")


@recorded
def _changed(found: Transfer) -> None:
    """The table of these changes."""
    st.markdown("**How the units of the network for 0 to 4 changed**")
    config = {name: column(_NAMES[name], DEFINITIONS[name]) for name in ("drift", "survival")}
    quantile = "quantile of the drift over units."
    config |= {
        "low": column("drift, 10 %", f"10 % {quantile}"),
        "high": column("drift, 90 %", f"90 % {quantile}"),
        "chance": column(_NAMES["chance"], DEFINITIONS["survival"]),
    }
    st.dataframe(_changes(found), hide_index=True, column_config=config)
