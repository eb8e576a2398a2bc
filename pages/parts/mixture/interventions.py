"""What the network answers without an expert, by one alone, and with weights of other digits."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.architectures.mixture.charts import interventions as figures
from core.architectures.mixture.tasks.interventions import Otherwise, Rerouting
from core.runtime import cache
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture import interventions_one
from pages.parts.mixture.controls import View

__all__ = ["view"]

DEFINITIONS = {
    "accuracy": (
        "Share of the confirmation half that is told right when the gate's weights are replaced "
        "on the way and all else is as trained. Nothing is learned again."
    ),
    "interval": "95 % interval of the accuracy (Wilson 1927).",
    "difference": "Accuracy less that with the gate as trained, paired by digit.",
    "change": (
        "Accuracy on the class without the expert minus with it, on the confirmation half. The "
        "expert's digits go to the next best, as the gate's scores say."
    ),
    "paired": "95 % interval of the change, paired by digit (Bonett & Price 2012).",
    "control": "Range of the change of the same class when another expert is removed instead.",
    "discovery": "The change on the discovery half, on which the class was chosen.",
    "needed": "Whether the whole interval lies below the removal of every other expert.",
}


_NEED = ("expert", "class", "change")


def view(view: View) -> None:
    """Accuracy with other decisions, experts removed one by one, then one of them in full."""
    if view.routing.experts == 1:
        st.info(
            "A single expert can't be removed, for nothing would be left to answer, and its gate "
            "has nothing to decide: choose at least 2 experts.",
            icon=":material/do_not_disturb_on:",
        )
        return
    found: Otherwise = result_of(Rerouting(view.choice, view.gate))
    table = found.accuracies()
    _say(view, found, table)
    _decisions(view, found, table)
    _needs(view, found)
    digits = cache.digits(view.choice.data, "confirmation")
    interventions_one.show(view, found, digits)


def _say(view: View, found: Otherwise, table: pd.DataFrame) -> None:
    """The answer in words, of the numbers."""
    intact, akin, another, even = (row for _, row in table.iloc[:4].iterrows())
    best = table.iloc[4:].sort_values("accuracy").iloc[-1]
    chosen = found.specialties()
    sure = chosen[chosen["needed"]]
    which = "; ".join(
        f"expert {expert} for class {label} ({100 * change:+.0f} points)"
        for expert, label, change in zip(*(sure[key] for key in _NEED), strict=True)
    )
    st.markdown(
        f"**Does it matter whom the gate chooses?** With its own weights the network is right on "
        f"**{intact['accuracy']:.1%}**, with those of any other digit on "
        f"**{another['accuracy']:.1%}**, and with those of another digit of the same class on "
        f"**{akin['accuracy']:.1%}**: {_beyond(akin, another)}. All experts alike give "
        f"{even['accuracy']:.1%}, the best single one {best['accuracy']:.1%}."
    )
    st.markdown(
        f"**{len(sure)} of {found.experts} experts are needed** for the class chosen for them: "
        + (f"{which}." if len(sure) else "no class is lost, or removing another costs it as much.")
    )
    if view.mixture.jitter:
        st.caption("The digits are used as they are here; the network learned from moved ones.")


def _beyond(akin: pd.Series[float], another: pd.Series[float]) -> str:
    """What the answer uses of the gate's weights, in words."""
    if another["change high"] >= 0:
        return "any digit's weights do as well, so the decision doesn't matter"
    if akin["change high"] >= 0:
        return "of what the weights tell, the answer uses no more than can be told by the class"
    return (
        f"the weights tell more than the class, and the answer needs it ({_points(akin)} points, "
        "95 % interval)"
    )


def _points(row: pd.Series[float]) -> str:
    """The interval of a change in points."""
    return f"{100 * row['change low']:+.1f} to {100 * row['change high']:+.1f}"


def _decisions(view: View, found: Otherwise, table: pd.DataFrame) -> None:
    """Accuracy when the gate's weights are others."""
    st.markdown("**Accuracy when the gate decides otherwise**", help=DEFINITIONS["accuracy"])
    st.vega_lite_chart(finished_chart(figures.accuracies, table), key="accuracy rerouted")
    st.caption(
        f"{found.digits:,} digits of the confirmation half, 95 % Wilson intervals. Orange: as "
        "trained; blue: weights replaced by those of a random other digit, each given away once, "
        f"or by 1/{found.experts} each; grey: every digit answered by one expert. Guessing gives "
        "about 10 %."
    )
    helps = {
        "decision": st.column_config.TextColumn("decision", width="medium"),
        "accuracy": column("accuracy", DEFINITIONS["accuracy"]),
        **{key: column(key, DEFINITIONS["interval"]) for key in ("low", "high")},
        "change": column("change", DEFINITIONS["difference"]),
        **{key: column(key, DEFINITIONS["paired"]) for key in ("change low", "change high")},
    }
    with st.expander("Table"):
        st.dataframe(table.drop(columns="kind"), hide_index=True, column_config=helps)
        download(table, f"{_name(view)}-otherwise")


def _needs(view: View, found: Otherwise) -> None:
    """The classes that lose without each expert."""
    table = found.effects()
    table = table.assign(name=[f"expert {at}" for at in table["expert"]])
    st.markdown("**Without an expert**, change of accuracy in points", help=DEFINITIONS["change"])
    st.vega_lite_chart(finished_chart(figures.effects, table), key="experts removed")
    costs = found.costs()
    most = costs.sort_values("change").iloc[0]
    st.caption(
        "Blue: digits of the class are lost without the expert. The control of a cell is the rest "
        "of its column: the other experts removed instead. Over all digits, removal costs between "
        f"{0 - 100 * costs['change'].max():.1f} and {-100 * most['change']:.1f} points (expert "
        f"{most['expert']:.0f}). {10 * found.experts} cells are shown, so single numbers off 0 are "
        "to be expected: the classes in the table were chosen on other digits. Nothing is learned "
        "again: a network trained without the expert might not miss it."
    )
    helps = {
        "expert": st.column_config.NumberColumn("expert", help="Its number means nothing else."),
        "class": st.column_config.NumberColumn("class", help="Hurt most on the discovery half."),
        "digits": st.column_config.NumberColumn("digits", help="Of the class, in this half."),
        "discovery": column("discovery", DEFINITIONS["discovery"]),
        "change": column("change", DEFINITIONS["change"]),
        **{key: column(key, DEFINITIONS["paired"]) for key in ("low", "high")},
        **{key: column(key, DEFINITIONS["control"]) for key in ("control low", "control high")},
        "needed": st.column_config.CheckboxColumn("needed", help=DEFINITIONS["needed"]),
    }
    st.dataframe(found.specialties(), hide_index=True, column_config=helps)
    download(table.drop(columns="name"), f"{_name(view)}-removed", "Download all cells as CSV")


def _name(view: View) -> str:
    """Of a table's file."""
    return f"{view.gate.replace('_', '-')}-{file_name(view.choice)}"
