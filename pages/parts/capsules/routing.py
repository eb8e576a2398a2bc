"""What routing decides, what it is worth, and what the course module did."""

from __future__ import annotations

import math

import streamlit as st

from core.architectures.capsules import charts as figures
from core.architectures.capsules.routing_task import Routed, Routing, Unrouted, Unrouting
from core.models.capsules import OUTPUTS, SPREAD
from core.runtime.task import Choice
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["worth"]

CONTROL = links.one_of("capsule_control", ("no", "yes"))
DEFINITIONS = {
    "accuracy": "Share of the digits of the confirmation half told right, 95 % interval of Wilson.",
    "entropy": (
        "Entropy in bits of the ten shares c of a primary capsule, mean over the 288 capsules and "
        "over digits. log₂ 10 = 3.32 when nothing is decided, 0 when each votes for one class."
    ),
    "weighted entropy": "The same, each capsule counting as much as it is long, ‖u‖.",
    "own share": "Share c that goes to the digit's own class, so weighted; 0.1 by chance.",
    "best other share": "Share c of the other class that gets most, so weighted.",
    "own cosine": (
        "Cosine of a vote û and the capsule v of the digit's own class, mean over votes weighted "
        "by their length: how far the votes agree."
    ),
    "other cosine": "The same for the other nine classes, mean.",
}
_NOTHING = math.log2(OUTPUTS)  # bits: the entropy of equal shares


def worth(choice: Choice) -> None:
    """How decided routing is, accuracy with more, less and wrong routing, and the module."""
    found: Routed = result_of(Routing(choice))
    _accuracies(choice, found)
    _decisions(choice, found)
    _without(choice)
    _module(found)


def _accuracies(choice: Choice, found: Routed) -> None:
    """The trained network with other routings."""
    table = found.accuracies()
    st.markdown("**The trained network, routed otherwise**", help=DEFINITIONS["accuracy"])
    st.vega_lite_chart(
        finished_chart(figures.accuracies, table, "routing"), key="accuracy by routing"
    )
    rows = table.set_index("routing")["accuracy"]
    st.caption(
        f"{found.digits:,} digits of the confirmation half. Trained with 3 iterations: "
        f"{rows['3 iterations']:.2%}; all c equal: {rows['1 iteration: all c equal']:.2%}; with "
        f"the c of another digit, drawn at random: {rows['c of another digit']:.2%}; with its own, "
        f"but each of another primary capsule: {rows['c of other inputs']:.2%}. The first two "
        "differ by what routing does for the answer. If the last is as good as its own c, routing "
        "strengthens or weakens a class as a whole and does not choose parts: then it matters how "
        "much of c goes to a class, and not from where."
    )
    download(table, f"capsule-routing-{file_name(choice)}")


def _decisions(choice: Choice, found: Routed) -> None:
    """How decided and how much in agreement the votes are, by iteration."""
    table = found.decisions()
    left, right = st.columns(2)
    with left:
        about = f"{DEFINITIONS['own share']}\n\n{DEFINITIONS['best other share']}"
        st.markdown("**Where votes go**, share c", help=about)
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
        f"{1 / OUTPUTS:g}, nothing decided. After the last iteration {last['own share']:.3f} of a "
        f"vote goes to the digit's class and {last['best other share']:.3f} to the other class "
        f"that gets most. The shares have {last['weighted entropy']:.3f} bits of entropy left of "
        f"{_NOTHING:.3f}."
    )
    helps = {name: column(name, about) for name, about in DEFINITIONS.items() if name in table}
    with st.expander("Table"):
        st.dataframe(table, hide_index=True, column_config=helps)
        download(table, f"capsule-decisions-{file_name(choice)}")


def _without(choice: Choice) -> None:
    """The same network trained without routing, where asked for."""
    CONTROL.shown()
    st.segmented_control(
        "Train the same network without routing, to compare (minutes)",
        ["no", "yes"],
        key=CONTROL.key,
        on_change=CONTROL.changed,
    )
    if CONTROL.value() == "no":
        st.caption(
            "Gu & Tresp (2020) find that routing adds little. The control, with all c equal, has "
            "the same weights to begin with and sees the same batches."
        )
        return
    found: Unrouted = result_of(Unrouting(choice))
    table = found.accuracies()
    st.vega_lite_chart(
        finished_chart(figures.accuracies, table, "network"), key="accuracy without routing"
    )
    won, lost = found.only
    st.caption(
        f"{won} digits are told right only with routing, {lost} only without, of "
        f"{len(found.routed):,}: exact test of equal odds p = {found.p_value:.2f}. One pair of "
        "networks, seed " + str(choice.seed) + ": another seed may turn it around."
    )
    download(table, f"capsule-control-{file_name(choice)}")


def _module(found: Routed) -> None:
    """The defects of the course module, side by side."""
    of = found.module
    with st.expander("What the course module did, and what is right"):
        st.markdown(
            "- **Matrices.** There: one for each class, shared by all primary capsules, so that "
            "the network can't know *where* a part is. When the capsules change places, no length "
            f"changes by more than {of.shared:.0e}. Here: one for each pair, as Sabour et al. "
            f"(2017); lengths change by up to {of.own:.2f}.\n"
            "- **First weights.** There: spread 1. On this network's primary capsules all lengths "
            f"are then {of.wide[0]:.4f} to {of.wide[1]:.4f}: the squash is flat, and nothing tells "
            f"classes apart. Here: spread {SPREAD:g}, lengths {of.begun[0]:.2f} to "
            f"{of.begun[1]:.2f}.\n"
            "- **Logits b.** There: made on the CPU in single precision. Here: made like the "
            "votes, so that it runs in any precision and on any device.\n"
            "- **Coefficients c.** There: thrown away. Here: kept for each iteration; they are the "
            "pictures of the view *One digit, routed*."
        )
