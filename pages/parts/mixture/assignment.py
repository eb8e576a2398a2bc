"""Who takes what: how evenly, how decidedly, which classes, which concepts, which digits."""

from __future__ import annotations

import math

import streamlit as st

from core.architectures.mixture import GateReport
from core.architectures.mixture.charts import assignment as figures
from core.architectures.mixture.report import DEAD
from core.architectures.mixture.tasks import Taken
from core.data.concepts import CONCEPTS
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.parts.mixture import assignment_digits
from pages.parts.mixture.controls import View

__all__ = ["view"]

CONCEPTS_SHOWN = 18
DEFINITIONS = {
    "accuracy": "Share of the confirmation half that the network tells right.",
    "active": "Experts that take more than a quarter of an even share, 1 / 4N. The others are dead",
    "balance": (
        "N Σ f_i P_i, f the share of digits an expert takes, P its mean weight (Fedus et al. "
        "2021): 1 where all share evenly, N where one has everything."
    ),
    "load variation": (
        "CV² of the load: variance over squared mean of the shares that experts take. 0 even, "
        "N − 1 where one has everything."
    ),
    "importance variation": "CV² of the importance, an expert's mean weight. 0 even, N − 1 one.",
    "entropy": (
        "Entropy of a digit's weights, H(g | x), mean over digits, in bits: 0 where one expert has "
        "all the weight, log₂ N where all weigh alike."
    ),
    "mean entropy": (
        "Entropy of the mean weights, H(ḡ), in bits: log₂ N where experts share evenly."
    ),
    "decisions": (
        "H(ḡ) − H(g | x): what the digit tells of the expert. High only where each digit is "
        "decided and all experts are used."
    ),
    "information": (
        "Mutual information of the class and the expert that takes the digit, in bits. A digit's "
        "class has 3.3."
    ),
    "limit": "The same, when experts are shuffled over the digits: 95 % of shuffles stay below.",
    "normalized": "The information over the mean entropy of class and expert: 0 to 1.",
    "class share": "Of this class's digits, the share that the expert takes; 95 % interval.",
    "load": "The expert's share of all digits: what it would take if it knew no class.",
    "within": "Of the digits that the expert takes, the share of this class.",
    "more": (
        "Share of the concept's digits that the expert takes, less the share it would take if it "
        "knew each digit's class and nothing else, in points."
    ),
}


def view(view: View) -> None:
    """One gate, on the confirmation half, beside the same gate before training."""
    taken = view.taken()
    of = taken.confirmation
    if of.experts == 1:
        st.info(
            "One expert has nothing to share: every digit is its own, and no gate decides. Alone "
            f"it tells {taken.accuracy:.1%} of the digits right. Choose two experts or more.",
            icon=":material/call_split:",
        )
        return
    st.markdown(_headline(view, taken))
    _measures(taken)
    left, right = st.columns(2)
    with left:
        _loads(of)
    with right:
        _decided(view, taken)
    _classes(view, taken)
    assignment_digits.digits(view, taken)
    _concepts(view, taken)
    _module(view, taken)


def _headline(view: View, taken: Taken) -> str:
    """The answer in two sentences."""
    of, before = taken.confirmation, taken.untrained
    dead = of.experts - of.active
    used = f"**All {of.experts} experts are at work.**" if not dead else ""
    if view.mixture.jitter:
        used = (
            f"**{of.active} of {of.experts} experts take digits that stay where they are**; who "
            "takes moved digits, from which this network learned, is in *Where and what*."
        )
    elif dead:
        verbs = ["is" if count == 1 else "are" for count in (of.active, dead)]
        used = (
            f"**{of.active} of {of.experts} experts {verbs[0]} at work**; {dead} {verbs[1]} dead."
        )
    told, untold = of.class_information, before.class_information
    if told.bits <= told.limit:
        says = "says no more about the class than chance"
    else:
        says = f"tells **{told.bits:.2f} of 3.32 bits** of its class"
    return (
        f"{used} Which expert{view.layer} takes a digit {says} (shuffled: 95 % below "
        f"{told.limit:.2f}; before training: {untold.bits:.2f}). The network tells "
        f"{taken.accuracy:.1%} of the digits right."
    )


def _measures(taken: Taken) -> None:
    """The numbers that sum a gate up, beside the untrained gate's."""
    names = {
        "active": "experts at work",
        "balance": "balance N Σ f P",
        "load variation": "CV² of load",
        "importance variation": "CV² of importance",
        "entropy": "H(g | x)",
        "mean entropy": "H(ḡ)",
        "decisions": "H(ḡ) − H(g | x)",
        "information": "I(class; expert)",
        "limit": "95 % of shuffles",
        "normalized": "I normalized",
    }
    table = taken.summary()
    config = {name: column(title, DEFINITIONS[name]) for name, title in names.items()}
    config["active"] = st.column_config.NumberColumn(names["active"], help=DEFINITIONS["active"])
    st.dataframe(table, hide_index=True, column_config=config)
    of = taken.confirmation
    st.caption(
        f"{len(of.labels):,} digits of the confirmation half. Entropies and information in bits; "
        f"log₂ N is {math.log2(of.experts):.2f}."
    )


def _loads(of: GateReport) -> None:
    """Load and importance of each expert."""
    about = f"Load: {DEFINITIONS['load']} Importance: the expert's mean weight."
    st.markdown("**How evenly**: load and importance", help=about)
    st.vega_lite_chart(
        finished_chart(figures.loads, of.load, of.importance, DEAD / of.experts),
        key="load of each expert",
    )
    st.caption(
        f"Load: share of digits that weigh the expert most. Grey: an even share, "
        f"{1 / of.experts:.1%}; dashed: dead below {DEAD / of.experts:.1%}."
    )


def _decided(view: View, taken: Taken) -> None:
    """The entropy of each digit's weights, trained and untrained."""
    of, most = taken.confirmation, math.log2(max(view.routing.k, 2))
    st.markdown("**How decidedly**: entropy of each digit's weights", help=DEFINITIONS["entropy"])
    chart = finished_chart(figures.decided, of.entropy, taken.untrained.mean_entropy, most)
    st.vega_lite_chart(chart, key="entropy of each digit")
    st.caption(
        f"Left: one expert has all the weight; right: all that are run weigh alike. The mean is "
        f"{of.mean_entropy:.2f} bits; grey: before training, {taken.untrained.mean_entropy:.2f}."
    )


def _classes(view: View, taken: Taken) -> None:
    """Expert × class."""
    table = taken.confirmation.classes
    st.subheader("Expert × class")
    st.vega_lite_chart(finished_chart(figures.shares, table, "class"), key="experts by class")
    st.caption(
        "Of each class's digits, the share in percent that each expert takes: a column sums to "
        "100. An expert that knew no class would have its load in every cell.",
        help=f"{DEFINITIONS['class share']} {DEFINITIONS['load']}",
    )
    chosen = taken.specialties()[["expert", "group", "share", "low", "high", "load", "within"]]
    st.markdown(
        "**Each expert's class**, chosen on the discovery half and judged here on the other",
        help="The class of which the expert takes the largest share on the discovery half.",
    )
    helps = {
        "group": st.column_config.NumberColumn("class"),
        "share": column("share of the class", DEFINITIONS["class share"]),
        "low": column("from", "Lower end of Wilson's 95 % interval."),
        "high": column("to", "Upper end of Wilson's 95 % interval."),
        "load": column("load", DEFINITIONS["load"]),
        "within": column("of its digits", DEFINITIONS["within"]),
    }
    st.dataframe(chosen, hide_index=True, column_config=helps)
    name = f"{file_name(view.choice)}-{view.gate}"
    download(table.rename(columns={"group": "class"}), f"experts-by-class-{name}")


def _concepts(view: View, taken: Taken) -> None:
    """Expert × concept, beyond what the class explains."""
    st.subheader("Expert × concept, beyond the class")
    found = taken.beyond_class()
    if found.empty:
        st.markdown(
            "**None found.** On the discovery half no expert takes more or less of any concept's "
            "digits than their classes explain, at a false discovery rate of 5 %."
        )
        return
    again = int(found["confirmed"].sum())
    st.markdown(
        f"On the discovery half **{len(found)} pairs** of expert and concept go beyond what the "
        f"classes explain (false discovery rate 5 %); **{again}** of them do again on the other "
        "half. So the gate sorts ways of writing, not only classes."
        if again
        else f"On the discovery half {len(found)} pairs of expert and concept go beyond what the "
        "classes explain; **none** does again on the other half."
    )
    rows = list(dict.fromkeys(found["group"]))[:CONCEPTS_SHOWN]
    table = taken.concepts[taken.concepts["group"].isin(rows)]
    marked = table.merge(found[["group", "expert", "confirmed"]], how="left")
    marked["confirmed"] = marked["confirmed"].eq(True)
    named = marked.assign(group=[CONCEPTS[name].text for name in marked["group"]])
    chart = finished_chart(figures.beyond, named, [CONCEPTS[name].text for name in rows])
    st.vega_lite_chart(chart, key="experts by concept")
    st.caption(
        "Points by which the expert's share of the concept's digits exceeds what it would take if "
        "it knew the class alone; numbers only where both halves agree. Rows: the "
        f"{len(rows)} concepts with the largest difference on the discovery half; numbers: of the "
        "confirmation half.",
        help=DEFINITIONS["more"],
    )
    with st.expander("Every expert and concept, and what the expert tells of each"):
        st.dataframe(taken.concepts, hide_index=True, height=300)
        name = f"{file_name(view.choice)}-{view.gate}"
        download(taken.concepts, f"experts-by-concept-{name}")
        st.dataframe(taken.told, hide_index=True, height=300)
        download(taken.told, f"concepts-told-by-experts-{name}")


def _module(view: View, taken: Taken) -> None:
    """The defects of the course module, beside live numbers."""
    routing = view.routing
    with st.expander("What the course module did, and what is right"):
        st.markdown(
            f"- **Nothing is saved.** There all experts run for every digit, so “efficient” is "
            f"untrue. Here {routing.k} of {routing.experts} run: top-k with k below N skips the "
            "others, and the view *Runs compared* counts the operations.\n"
            "- **Nothing keeps experts at work.** There the loss is cross-entropy alone. Set α "
            "to 0 with one expert run for a digit, and see the load.\n"
            "- **“Decides which experts” is a claim.** A gate can weigh all alike. Here the mean "
            f"entropy is {taken.confirmation.mean_entropy:.2f} of "
            f"{math.log2(routing.experts):.2f} bits.\n"
            "- **Logits are blended**, Σ g y, there and here. Jacobs et al. (1991) give each "
            "expert a likelihood of its own instead; their claim that it makes experts more "
            "specialized could not be seen at this size, so it isn't made here."
        )
