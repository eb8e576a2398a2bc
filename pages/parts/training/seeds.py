"""Three networks that differ in seed alone: do they have the same units?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.analyses.comparing import (
    Correspondence,
    Corresponding,
    Emergence,
    Emerging,
    InTurn,
    seeds_of,
)
from core.charts import training as figures
from core.claims.verdicts import FEWEST
from core.data.concepts import CONCEPTS
from core.runtime.task import Choice
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.training import emergence

__all__ = ["seeds"]

WITHIN = 0.8  # AUC above which a unit is called a conditional detector, as on the page Ask
DEFINITIONS = {
    "matching": (
        "Units of two networks have no common order. Each is given a partner in the other network, "
        "one to one, so that the sum of |correlation| of their activations on the same digits is "
        "the largest possible (Hungarian assignment, Li et al. 2015). The sign is free, since the "
        "next layer can turn it."
    ),
    "matching null": (
        "The same matching with the digits of one network shuffled: 95 % of units stay below. What "
        "is above shares something about the digits, which may be no more than their classes."
    ),
    "matching untrained": (
        "The same matching of the networks before training, same seeds: units correlate because "
        "digits of a class look alike, without anything being learned."
    ),
}


def seeds(choice: Choice) -> None:
    """Whether three networks that differ in seed alone have the same units."""
    every = seeds_of(choice)
    numbers = f"{every[0].seed} to {every[-1].seed}"
    emerging = InTurn(tuple(map(Emerging, every)), f"Training and reading seeds {numbers}")
    found: tuple[Emergence, ...] = result_of(emerging)
    layer, concept = emergence.controls(choice, found[0].concepts)
    matched = result_of(Corresponding(choice, layer))
    table = _each_seed(matched, found, layer, concept)
    st.markdown(_always(table, layer, concept))
    _over_training(matched, found, layer, concept)
    download(table, f"seeds-{file_name(choice)}-{layer}-{concept}")
    _matched(choice, matched, found, layer, concept)


def _each_seed(
    matched: Correspondence, found: Sequence[Emergence], layer: str, concept: str
) -> pd.DataFrame:
    """A row for each seed: its best unit for the concept."""
    rows = [of.table(layer).set_index("concept").loc[[concept]] for of in found]
    return pd.concat(rows).assign(seed=matched.seeds)


def _always(table: pd.DataFrame, layer: str, concept: str) -> str:
    """The answer in a sentence, from the numbers of each seed."""
    n, text = len(table), CONCEPTS[concept].text
    above = int((table["auc"] > table["chance"]).sum())
    strong = int((table["confirmed"] > WITHIN).sum())
    learned = int((table["auc"] > table["untrained"]).sum())
    digits = int(table["digits"].iloc[0])
    few = f"Only {digits} digits have it, too few for an answer. " * (digits < FEWEST)
    return (
        f"**Is there always a unit for “{text}” in {layer}?** {few}In {above} of {n} networks the "
        f"best unit is better (AUC {_values(table, 'auc')} for seeds "
        f"{_values(table, 'seed', 'd')}) than the best of 95 % of shuffles "
        f"({_values(table, 'chance')}); in {learned} of {n} it is better than any untrained unit "
        f"({_values(table, 'untrained')}); on the other half of the digits it is above {WITHIN} in "
        f"{strong} of {n} ({_values(table, 'confirmed')})."
    )


def _values(table: pd.DataFrame, column: str, form: str = ".2f") -> str:
    """One number for each seed."""
    return ", ".join(format(value, form) for value in table[column])


def _over_training(
    matched: Correspondence, found: Sequence[Emergence], layer: str, concept: str
) -> None:
    """The best unit's AUC over training, a line for each seed."""
    frame = pd.concat(
        pd.DataFrame({"seed": str(seed), "step": of.steps, "auc": of.curve(layer, concept)})
        for seed, of in zip(matched.seeds, found, strict=True)
    )
    at = found[0].concepts.index(concept)
    seeds_ = [str(seed) for seed in matched.seeds]
    chance = pd.DataFrame({"seed": seeds_, "auc": [of.chance[layer][at] for of in found]})
    chart = finished_chart(
        figures.over_steps, frame, "auc", "seed", title="highest AUC", chance=chance
    )
    st.vega_lite_chart(chart, key="seeds over steps")
    st.caption(
        f"The highest AUC of any unit of {layer} at each checkpoint, a line for each network; "
        f"dashed: what the best unit of 95 % of shuffles stays below, at the end. "
        f"{found[0].present[at]} digits of the discovery half have the concept. That a unit tells "
        "it does not say that the network uses it: only removing the unit can tell.",
        help=f"{emergence.DEFINITIONS['concept auc']}\n\n{emergence.DEFINITIONS['best by chance']}",
    )


def _matched(
    choice: Choice,
    matched: Correspondence,
    found: Sequence[Emergence],
    layer: str,
    concept: str,
) -> None:
    """The partners of the best units, and how well all units match."""
    st.markdown("**The best unit's partners in the other networks**", help=DEFINITIONS["matching"])
    partners = matched.partners(found, layer, concept)
    st.dataframe(
        partners,
        hide_index=True,
        column_config={
            "auc": column("AUC", emergence.DEFINITIONS["concept auc"]),
            "correlation": column("correlation", DEFINITIONS["matching"]),
            "null": column("95 % of shuffles", DEFINITIONS["matching null"]),
            "untrained": column("95 % untrained", DEFINITIONS["matching untrained"]),
            "partner's auc": column("partner's AUC", emergence.DEFINITIONS["concept auc"]),
            "best there": st.column_config.NumberColumn(
                help="The best unit for the concept in the other network: the partner, or another."
            ),
        },
    )
    same = int((partners["partner"] == partners["best there"]).sum())
    st.caption(
        f"{matched.digits:,} digits of the discovery half. In {same} of {len(partners)} rows the "
        "partner is also the other network's best unit. A unit's number means nothing in another "
        "network."
    )
    download(partners, f"partners-{file_name(choice)}-{layer}-{concept}")
    st.markdown("**All units, matched**", help=DEFINITIONS["matching null"])
    table = matched.table()
    st.vega_lite_chart(finished_chart(figures.correspondence, table), key="units matched")
    st.caption(
        f"A tick for each of the {matched.partner.shape[2]} units; blue: the trained networks; "
        "grey: the same networks before training; orange: what 95 % of units stay below when the "
        "digits are shuffled.",
        help=DEFINITIONS["matching untrained"],
    )
    download(table, f"matching-{file_name(choice)}-{layer}")
