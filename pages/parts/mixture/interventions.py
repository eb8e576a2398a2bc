"""What the network answers without an expert, by one alone, and with weights of other digits."""

from __future__ import annotations

import streamlit as st

from core.architectures.mixture.charts import interventions as figures
from core.architectures.mixture.interventions import GateDependence, GateInterventions
from core.architectures.mixture.tasks.interventions import GateInterventionsTask
from core.charts.effects import lost_by_class
from core.runtime import cache
from pages.kit import glossary, halves
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture import interventions_one
from pages.parts.mixture.controls import View

__all__ = ["view"]

DEFINITIONS = {
    "accuracy": (
        "Share of the confirmation half that is classified correctly when the gate's weights are "
        "replaced and everything else stays as trained. Nothing is retrained."
    ),
    "interval": "95 % Wilson interval of the accuracy (Wilson 1927).",
    "difference": "Accuracy minus accuracy with the gate as trained, paired by digit.",
    "change": (
        "Accuracy on the class without the expert minus accuracy with it, on the confirmation "
        "half. The expert's digits go to the expert with the next highest score."
    ),
    "control": "Range of the change for the same class when another expert is removed instead.",
    "needed": "Whether the whole interval lies below the change for every other expert.",
}


_NEED = ("expert", "class", "change")


def view(view: View) -> None:
    """Accuracy with other decisions, experts removed one by one, then one of them in full."""
    if view.routing.experts == 1:
        st.info(
            "A single expert can't be removed, because nothing would be left to classify the "
            "digits. Choose at least 2 experts.",
            icon=":material/do_not_disturb_on:",
        )
        return
    found: GateInterventions = result_of(GateInterventionsTask(view.run, view.gate))
    halves.chosen_and_judged("Each expert's class was chosen")
    _say(view, found)
    _decisions(view, found)
    _needs(view, found)
    digits = cache.digits(view.run.data, "confirmation")
    interventions_one.show(view, found, digits)


@recorded
def _say(view: View, found: GateInterventions) -> None:
    """Whether the gate's choice matters and which experts are needed, in words."""
    of = found.dependence()
    chosen = found.specialties()
    sure = chosen[chosen["needed"]]
    which = "; ".join(
        f"expert {expert} for class {label} ({100 * change:+.0f} points)"
        for expert, label, change in zip(*(sure[key] for key in _NEED), strict=True)
    )
    st.markdown(
        "**Does it matter which expert the gate chooses?** With the gate's own weights, accuracy "
        f"is **{of.intact:.1%}**; with the weights for a random other digit, "
        f"**{of.another:.1%}**; with those for another digit of the same class, "
        f"**{of.akin:.1%}**: {_uses(of)}. Equal weights for all experts "
        f"give {of.even:.1%}, the best single expert {of.best:.1%}."
    )
    st.markdown(
        f"**{len(sure)} of {found.experts} experts are needed** for the class chosen for them: "
        + (
            f"{which}."
            if len(sure)
            else "no class suffers, or removing another expert costs it as much."
        )
    )
    if view.jittered:
        st.caption("Digits are not moved here; the network was trained on moved ones.")


def _uses(of: GateDependence) -> str:
    """What the answer uses of the gate's weights, in words."""
    if of.uses == "nothing":
        return "any digit's weights work as well, so the gate's decision doesn't matter"
    if of.uses == "class":
        return "the answer depends on the gate only through the class"
    return (
        "the weights carry more than the class, and the answer depends on it "
        f"({100 * of.low:+.1f} to {100 * of.high:+.1f} points, 95 % interval)"
    )


def _decisions(view: View, found: GateInterventions) -> None:
    """A chart and table of accuracy with replaced gate weights."""
    _accuracies(found)
    with st.expander("Table"):
        _accuracy_table(found)
        download(found.accuracies, f"{_name(view)}-otherwise")


@recorded
def _accuracies(found: GateInterventions) -> None:
    """The chart of accuracy with replaced gate weights."""
    st.markdown("**Accuracy with other gate weights**", help=DEFINITIONS["accuracy"])
    st.vega_lite_chart(
        finished_chart(figures.accuracies, found.accuracies()), key="accuracy rerouted"
    )
    st.caption(
        f"{found.digits:,} digits of the confirmation half, 95 % Wilson intervals. Orange: as "
        "trained; blue: weights replaced by those for a random other digit (a permutation), or "
        f"by 1/{found.experts} each; grey: one expert classifies every digit. Guessing gives "
        "about 10 %."
    )


@recorded
def _accuracy_table(found: GateInterventions) -> None:
    """The same as a table."""
    table = found.accuracies()
    helps = {
        "decision": st.column_config.TextColumn("decision", width="medium"),
        "accuracy": column("accuracy", DEFINITIONS["accuracy"]),
        **{key: column(key, DEFINITIONS["interval"]) for key in ("low", "high")},
        "change": column("change", DEFINITIONS["difference"]),
        **{
            key: column(key, glossary.DEFINITIONS["change_interval"])
            for key in ("change low", "change high")
        },
    }
    st.dataframe(table.drop(columns="kind"), hide_index=True, column_config=helps)


def _needs(view: View, found: GateInterventions) -> None:
    """The accuracy that each class loses without each expert, to look at and to download."""
    _lost_without(found)
    download(found.effects, f"{_name(view)}-removed", "Download all cells as CSV")


@recorded
def _lost_without(found: GateInterventions) -> None:
    """The accuracy that each class loses without each expert."""
    table = found.effects()
    table = table.assign(name=[f"expert {at}" for at in table["expert"]])
    st.markdown("**Without an expert**, change of accuracy in points", help=DEFINITIONS["change"])
    st.vega_lite_chart(finished_chart(lost_by_class, table), key="experts removed")
    least, most, costliest = found.cost_range()
    st.caption(
        "Blue: accuracy on the class drops without the expert. The controls for a cell are the "
        "rest of its column: another expert removed instead. Over all digits, removal costs "
        f"between {100 * least:.1f} and {100 * most:.1f} points "
        f"(expert {costliest}). {10 * found.experts} cells are shown, so a few numbers "
        "will differ from 0 by chance: the classes in the table were chosen on other digits. "
        "Nothing is retrained: a network trained without the expert might not miss it."
    )
    helps = {
        "expert": st.column_config.NumberColumn("expert", help="Experts are numbered arbitrarily."),
        "class": st.column_config.NumberColumn(
            "class", help="The class with the largest loss on the discovery half."
        ),
        "digits": st.column_config.NumberColumn(
            "digits", help="Number of digits of the class in this half."
        ),
        "discovery": column("discovery", glossary.DEFINITIONS["change_discovery"]),
        "change": column("change", DEFINITIONS["change"]),
        **{key: column(key, glossary.DEFINITIONS["change_interval"]) for key in ("low", "high")},
        **{key: column(key, DEFINITIONS["control"]) for key in ("control low", "control high")},
        "needed": st.column_config.CheckboxColumn("needed", help=DEFINITIONS["needed"]),
    }
    st.dataframe(found.specialties()[list(helps)], hide_index=True, column_config=helps)


def _name(view: View) -> str:
    """The first part of the names of this view's files."""
    return f"{view.gate.replace('_', '-')}-{file_name(view.run)}"
