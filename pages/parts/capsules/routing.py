"""What routing decides, what it contributes, and common mistakes in capsule code."""

from __future__ import annotations

import math

import streamlit as st

from core.architectures.capsules import charts as figures
from core.architectures.capsules.routing_effects import (
    RoutingComparison,
    RoutingEffects,
    routing_name,
)
from core.architectures.capsules.routing_task import RoutingComparisonTask, RoutingEffectsTask
from core.models.capsules import OUTPUTS, SPREAD
from core.runs import Run
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import toggle
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["worth"]

CONTROL = links.switch("capsule_control")
DEFINITIONS = {
    "accuracy": (
        "Share of the confirmation half classified correctly, with the 95 % Wilson interval."
    ),
    "entropy": (
        "Entropy in bits of the ten coefficients c of a primary capsule, mean over the 288 "
        "capsules and over digits. log₂ 10 = 3.32 if all are equal, 0 if each capsule votes for "
        "one class only."
    ),
    "weighted entropy": "The same, with each capsule weighted by its length ‖u‖.",
    "own share": (
        "Coefficient c for the digit's own class, weighted in the same way; 0.1 by chance."
    ),
    "best other share": "Largest coefficient c of any other class, weighted in the same way.",
    "own cosine": (
        "Cosine of a vote û and the capsule v of the digit's own class, mean over votes weighted "
        "by their length: how far the votes agree."
    ),
    "other cosine": "The same for the other nine classes, mean.",
}
_NOTHING = math.log2(OUTPUTS)  # bits: the entropy of equal shares


def worth(run: Run) -> None:
    """How decided routing is, accuracy with more, less and wrong routing, and the module."""
    found: RoutingEffects = result_of(RoutingEffectsTask(run))
    _accuracies(run, found)
    _decisions(run, found)
    _without(run)
    _module(found)


def _accuracies(run: Run, found: RoutingEffects) -> None:
    """The trained network with other routings."""
    table = found.accuracies()
    st.markdown("**The trained network with other routing**", help=DEFINITIONS["accuracy"])
    st.vega_lite_chart(
        finished_chart(figures.accuracies, table, "routing"), key="accuracy by routing"
    )
    rows = table.set_index("routing")["accuracy"]
    st.caption(
        f"{found.digits:,} digits of the confirmation half. As trained, "
        f"{routing_name(found.trained)}: {rows[routing_name(found.trained)]:.2%}; all c equal: "
        f"{rows[routing_name(1)]:.2%}; with the c of a random other digit: "
        f"{rows['c of another digit']:.2%}; with its own c, exchanged between primary capsules: "
        f"{rows['c of other inputs']:.2%}. The difference "
        "between the first two is what routing contributes to the accuracy. If the last is as "
        "good as the first, routing only strengthens or weakens whole classes and does not "
        "select parts: then what matters is how much of c goes to a class, not from which "
        "capsules."
    )
    download(table, f"capsule-routing-{file_name(run)}")


def _decisions(run: Run, found: RoutingEffects) -> None:
    """How decided and how much in agreement the votes are, by iteration."""
    table = found.decisions()
    left, right = st.columns(2)
    with left:
        about = f"{DEFINITIONS['own share']}\n\n{DEFINITIONS['best other share']}"
        st.markdown("**Where votes go**, coefficient c", help=about)
        named = {"own share": "the digit's class", "best other share": "best other class"}
        chart = finished_chart(figures.decisions, table, named, 1 / OUTPUTS)
        st.vega_lite_chart(chart, key="shares of routing")
    with right:
        about = f"{DEFINITIONS['own cosine']}\n\n{DEFINITIONS['other cosine']}"
        st.markdown("**How far votes agree with the capsule**, cosine", help=about)
        named = {"own cosine": "the digit's class", "other cosine": "other classes"}
        st.vega_lite_chart(
            finished_chart(figures.decisions, table, named, None), key="agreement of votes"
        )
    last = table[table["network"] == "trained"].iloc[-1]
    st.caption(
        "Mean over digits; dashed, with points: the network before training; grey: "
        f"{1 / OUTPUTS:g}, equal shares. After the last iteration {last['own share']:.3f} of a "
        f"vote goes to the digit's class and {last['best other share']:.3f} to the strongest "
        f"other class. The coefficients have {last['weighted entropy']:.3f} bits of entropy left, "
        f"of at most {_NOTHING:.3f}."
    )
    helps = {name: column(name, about) for name, about in DEFINITIONS.items() if name in table}
    with st.expander("Table"):
        st.dataframe(table, hide_index=True, column_config=helps)
        download(table, f"capsule-decisions-{file_name(run)}")


def _without(run: Run) -> None:
    """The same network trained without routing, where asked for."""
    if run.with_settings(iterations=1) == run:
        st.caption("This network was trained without routing, so there is nothing to compare.")
        return
    label = "Train the same network without routing for comparison (takes minutes)"
    if not toggle(CONTROL, label):
        st.caption(
            "Gu & Tresp (2020) find that routing adds little. The control, with all c equal, "
            "starts from the same weights and sees the same batches."
        )
        return
    found: RoutingComparison = result_of(RoutingComparisonTask(run))
    table = found.accuracies()
    st.vega_lite_chart(
        finished_chart(figures.accuracies, table, "network"), key="accuracy without routing"
    )
    won, lost = found.only
    st.caption(
        f"{won} digits are classified correctly only with routing, {lost} only without it, of "
        f"{len(found.routed):,}: exact test of equal odds p = {found.p_value:.2f}. One pair of "
        "networks, seed " + str(run.seed) + ": another seed may give the opposite result."
    )
    download(table, f"capsule-control-{file_name(run)}")


def _module(found: RoutingEffects) -> None:
    """Common mistakes in capsule code, with this network's numbers."""
    of = found.module
    with st.expander("Common mistakes, and what to do instead"):
        st.markdown(
            "- **Matrices.** Often there is only one matrix per class, shared by all primary "
            "capsules, so the network can't know *where* a part is: when capsules swap "
            f"places, no length changes by more than {of.shared:.0e}. Here each pair has its "
            "own matrix, as in Sabour et al. (2017); lengths change by up to "
            f"{of.own:.2f}.\n- **Initial weights.** With a standard deviation of 1, all "
            f"lengths for this network's primary capsules are {of.wide[0]:.4f} to "
            f"{of.wide[1]:.4f}: the squash function is saturated, and classes cannot be "
            f"separated. Here: standard deviation {SPREAD:g}, lengths {of.begun[0]:.2f} to "
            f"{of.begun[1]:.2f}.\n- **Logits b.** They are often created on the CPU in single "
            "precision. Here they are created like the votes, so that the code runs in any "
            "precision and on any device.\n- **Coefficients c.** They are often discarded. "
            "Here they are kept for each iteration; the view *One digit, routed* shows them."
        )
