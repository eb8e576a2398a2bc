"""Expert assignment: balance, entropy, and each expert's classes, concepts and digits."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core.architectures.mixture import GateReport
from core.architectures.mixture.assignment import GateAssignment
from core.architectures.mixture.charts import assignment as figures
from core.architectures.mixture.report import DEAD
from core.data.concepts import CONCEPTS
from core.runtime.drawings import DRAWINGS
from pages.kit import halves
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.parts.mixture import assignment_digits
from pages.parts.mixture.controls import View
from pages.parts.mixture.words import GATES

__all__ = ["view"]

CONCEPTS_SHOWN = 18
DEFINITIONS = {
    **GATES,
    "accuracy": "Share of the confirmation half that the network classifies correctly.",
    "class share": (
        "The share of this class's digits that the expert receives, with its 95 % interval."
    ),
    "expected": (
        "The expert's share of all digits: what it would receive of each class if the gate "
        "ignored the class."
    ),
    "within": "The share of this class among the digits that the expert receives.",
    "more": (
        "Share of the concept's digits that the expert receives, minus the share expected from "
        "their classes alone, in points."
    ),
}


def view(view: View) -> None:
    """One gate, on the confirmation half, beside the same gate before training."""
    taken = view.taken()
    of = taken.confirmation
    if of.experts == 1:
        st.info(
            "With a single expert there is nothing to assign: it gets every digit, and the gate "
            f"has no choice. It classifies {taken.accuracy:.1%} of the digits correctly. Choose "
            "two experts or more.",
            icon=":material/call_split:",
        )
        return
    halves.chosen_and_judged("Each expert's class and concepts were chosen")
    _summary(view, taken)
    _classes(view, taken)
    assignment_digits.digits(view, taken)
    _concepts(view, taken)
    _module(view, taken)


@recorded
def _summary(view: View, taken: GateAssignment) -> None:
    """What the gate does in two sentences, in numbers, and in two charts."""
    st.markdown(_headline(view, taken))
    _measures(taken)
    left, right = st.columns(2)
    with left:
        _loads(taken.confirmation)
    with right:
        _decided(view, taken)


def _headline(view: View, taken: GateAssignment) -> str:
    """How many experts are active and how much class information they carry, in two sentences."""
    of, before = taken.confirmation, taken.untrained
    dead = of.experts - of.active
    used = f"**All {of.experts} experts are active.**" if not dead else ""
    if view.jittered:
        used = (
            f"**{of.active} of {of.experts} experts are active on digits that are not moved**. "
            "This network learned from moved digits: for those, see *Position and class*."
        )
    elif dead:
        verbs = ["is" if count == 1 else "are" for count in (of.active, dead)]
        used = f"**{of.active} of {of.experts} experts {verbs[0]} active**; {dead} {verbs[1]} dead."
    information, earlier = of.class_information, before.class_information
    if information.bits <= information.limit:
        says = "carries no more class information than chance"
    else:
        says = f"carries **{information.bits:.2f} of the 3.32 bits** of class information"
    return (
        f"{used} The expert{view.layer} assigned to a digit {says} (95th percentile under "
        f"shuffling: {information.limit:.2f}; before training: {earlier.bits:.2f}). The network "
        f"classifies {taken.accuracy:.1%} of the digits correctly."
    )


def _measures(taken: GateAssignment) -> None:
    """The numbers that sum a gate up, beside the untrained gate's."""
    names = {
        "active": "active experts",
        "balance": "balance N Σ f P",
        "load variation": "CV² of load",
        "importance variation": "CV² of importance",
        "entropy": "H(g | x)",
        "entropy of the mean": "H(ḡ)",
        "decisions": "H(ḡ) − H(g | x)",
        "bits": "I(class; expert)",
        "limit": "95th percentile, shuffled",
        "normalized": "normalized I",
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
    about = f"Load {GATES['load']} Importance {GATES['importance']}"
    st.markdown("**How balanced**: load and importance", help=about)
    st.vega_lite_chart(
        finished_chart(figures.loads, of.load, of.importance, DEAD / of.experts),
        key="load of each expert",
    )
    st.caption(
        "Load: share of digits for which the expert has the highest weight. Grey: an equal "
        f"share, {1 / of.experts:.1%}; dashed: dead below {DEAD / of.experts:.1%}."
    )


def _decided(view: View, taken: GateAssignment) -> None:
    """The entropy of each digit's weights, trained and untrained."""
    of, most = taken.confirmation, math.log2(max(view.routing.k, 2))
    st.markdown("**How decided**: entropy of each digit's weights", help=DEFINITIONS["entropy"])
    chart = finished_chart(figures.decided, of.entropy, taken.untrained.mean_entropy, most)
    st.vega_lite_chart(chart, key="entropy of each digit")
    st.caption(
        "Left: one expert has all the weight; right: all experts that are run have the same "
        f"weight. The mean is {of.mean_entropy:.2f} bits; grey: before training, "
        f"{taken.untrained.mean_entropy:.2f}."
    )


def _classes(view: View, taken: GateAssignment) -> None:
    """The heat map of each class's share per expert, and each expert's chosen class."""
    _shares(taken)
    name = f"{file_name(view.run)}-{view.gate}"
    table = taken.confirmation.classes.rename(columns={"group": "class"})
    download(table, f"experts-by-class-{name}")


@recorded
def _shares(taken: GateAssignment) -> None:
    """The heat map and the table of these classes."""
    table = taken.confirmation.classes
    st.subheader("Expert × class")
    st.vega_lite_chart(finished_chart(figures.shares, table, "class"), key="experts by class")
    st.caption(
        "The percentage of each class's digits that each expert receives: columns sum to 100. If "
        "the gate ignored the class, every cell would equal the expert's load.",
        help=f"{DEFINITIONS['class share']} {DEFINITIONS['expected']}",
    )
    chosen = taken.specialties()[["expert", "group", "share", "low", "high", "load", "within"]]
    st.markdown(
        "**Each expert's class**, chosen on the discovery half and judged on the other",
        help="The class of which the expert receives the largest share on the discovery half.",
    )
    helps = {
        "group": st.column_config.NumberColumn("class"),
        "share": column("share of the class", DEFINITIONS["class share"]),
        "low": column("from", "Lower end of the 95 % Wilson interval."),
        "high": column("to", "Upper end of the 95 % Wilson interval."),
        "load": column("load", DEFINITIONS["expected"]),
        "within": column("of its digits", DEFINITIONS["within"]),
    }
    st.dataframe(chosen, hide_index=True, column_config=helps)


def _concepts(view: View, taken: GateAssignment) -> None:
    """The heat map of concepts per expert, beyond what the class explains, and every number."""
    _beyond(taken)
    if DRAWINGS.get(_none_beyond, taken):
        return
    with st.expander("Every expert and concept, and the information about each"):
        name = f"{file_name(view.run)}-{view.gate}"
        _whole_table(taken.concepts)
        download(taken.concepts, f"experts-by-concept-{name}")
        _whole_table(taken.told)
        download(taken.told, f"concept-information-of-experts-{name}")


def _none_beyond(taken: GateAssignment) -> bool:
    """Whether no concept goes beyond what the classes explain."""
    return bool(taken.beyond_class().empty)


@recorded
def _whole_table(table: pd.DataFrame) -> None:
    """A long table, which scrolls."""
    st.dataframe(table, hide_index=True, height=300)


@recorded
def _beyond(taken: GateAssignment) -> None:
    """The heat map of concepts per expert."""
    st.subheader("Expert × concept, beyond the class")
    found = taken.beyond_class()
    if found.empty:
        st.markdown(
            "**None found.** On the discovery half no expert receives more or fewer of any "
            "concept's digits than their classes explain, at a false discovery rate of 5 %."
        )
        return
    again = int(found["confirmed"].sum())
    st.markdown(
        f"On the discovery half **{len(found)} pairs** of expert and concept go beyond what the "
        f"classes explain (false discovery rate 5 %); **{again}** of these are confirmed on the "
        "other half. So the gate separates ways of writing, not only classes."
        if again
        else f"On the discovery half {len(found)} pairs of expert and concept go beyond what the "
        "classes explain; **none** of these is confirmed on the other half."
    )
    rows = list(dict.fromkeys(found["group"]))[:CONCEPTS_SHOWN]
    table = taken.concepts[taken.concepts["group"].isin(rows)]
    marked = table.merge(found[["group", "expert", "confirmed"]], how="left")
    marked["confirmed"] = marked["confirmed"].eq(True)
    named = marked.assign(group=[CONCEPTS[name].text for name in marked["group"]])
    chart = finished_chart(figures.beyond, named, [CONCEPTS[name].text for name in rows])
    st.vega_lite_chart(chart, key="experts by concept")
    st.caption(
        "Points by which the expert's share of the concept's digits exceeds what their classes "
        f"alone explain; numbers only where both halves agree. Rows: the {len(rows)} concepts "
        "with the largest difference on the discovery half; the numbers are from the "
        "confirmation half.",
        help=DEFINITIONS["more"],
    )


@recorded
def _module(view: View, taken: GateAssignment) -> None:
    """Common mistakes with mixtures, with this network's numbers."""
    routing = view.routing
    with st.expander("Common mistakes, and what to do instead"):
        st.markdown(
            "- **No computation is saved.** Introductory code often calls a mixture “efficient” "
            f"although it runs all experts for every digit. Here {routing.k} of {routing.experts} "
            "are run: top-k with k below N skips the others, and the view *Runs compared* counts "
            "the operations.\n- **Nothing keeps experts active.** The loss is often "
            "cross-entropy alone. Set α to 0 with one expert run per digit to see what happens "
            "to the load.\n- **“The gate selects experts” must be measured.** A gate can give "
            "all experts the same weight. Here the mean entropy is "
            f"{taken.confirmation.mean_entropy:.2f} of {math.log2(routing.experts):.2f} bits.\n- "
            "**Logits are averaged**, Σ g y, here as well. Jacobs et al. (1991) give each expert "
            "its own likelihood instead; that this makes experts more specialized could not be "
            "reproduced at this size, so it isn't claimed here."
        )
