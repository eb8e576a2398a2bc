"""Three networks that differ in seed alone: do they have the same units?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from core.analyses.comparing import (
    WITHIN,
    BestUnits,
    Correspondence,
    CorrespondenceTask,
    Emergence,
    EmergenceTask,
    SeveralTask,
    also_best,
    best_units,
    seeds_of,
)
from core.charts import training as figures
from core.data.concepts import CONCEPTS
from core.runs import Run
from core.runtime.drawings import DRAWINGS
from pages.kit import halves
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.training import emergence

__all__ = ["seeds"]

DEFINITIONS = {
    "matching": (
        "Units of two networks have no common order. Each unit is assigned a partner in the other "
        "network, one to one, so that the sum of |correlation| of their activations on the same "
        "digits is as large as possible (Hungarian assignment, Li et al. 2015). The sign is "
        "ignored, since the next layer can flip it."
    ),
    "matching null": (
        "The same matching with the digits of one network shuffled: 95th percentile over units. "
        "Pairs above it share some information about the digits, which may be no more than their "
        "classes."
    ),
    "matching untrained": (
        "The same matching for the networks before training, same seeds: units correlate because "
        "digits of a class look alike, although nothing has been learned."
    ),
}


def seeds(run: Run) -> None:
    """Whether three networks that differ in seed alone have the same units."""
    every = seeds_of(run)
    numbers = f"{every[0].seed} to {every[-1].seed}"
    emerging = SeveralTask(
        tuple(map(EmergenceTask, every)), f"Training and reading seeds {numbers}"
    )
    found: tuple[Emergence, ...] = result_of(emerging)
    layer, concept = emergence.controls(run, found[0].concepts)
    halves.chosen_and_judged("The best unit of each network was chosen")
    matched = result_of(CorrespondenceTask(run, layer))
    best = DRAWINGS.get(best_units, matched.seeds.tolist(), found, layer, concept)
    st.markdown(_always(best, layer, concept))
    _over_training(matched, found, layer, concept)
    download(best.table, f"seeds-{file_name(run)}-{layer}-{concept}")
    _matched(run, matched, found, layer, concept)


def _always(best: BestUnits, layer: str, concept: str) -> str:
    """The answer in a sentence, from the numbers of each seed."""
    table, n, text = best.table, len(best), CONCEPTS[concept].text
    few = "" if best.enough else f"Only {best.digits} digits have it, too few to decide. "
    return (
        f"**Is there always a unit for “{text}” in {layer}?** {few}In {best.above_chance} of {n} "
        f"networks the best unit is better (AUC {_values(table, 'auc')} for seeds "
        f"{_values(table, 'seed', 'd')}) than the 95th percentile of the best unit under "
        f"shuffling ({_values(table, 'chance')}); in {best.above_untrained} of {n} it is better "
        f"than any untrained unit ({_values(table, 'untrained')}); on the other half of the digits "
        f"it is above {WITHIN} in {best.confirmed} of {n} ({_values(table, 'confirmed')})."
    )


def _values(table: pd.DataFrame, column: str, form: str = ".2f") -> str:
    """One number for each seed."""
    return ", ".join(format(value, form) for value in table[column])


@recorded
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
        f"The highest AUC of any unit of {layer} at each checkpoint, one line per network; "
        "dashed: the 95th percentile of the best unit under shuffling, at the end. "
        f"{found[0].present[at]} digits of the discovery half have the concept. That a unit "
        "detects the concept does not mean that the network uses it: only removing the unit can "
        "show that.",
        help=f"{emergence.DEFINITIONS['concept auc']}\n\n{emergence.DEFINITIONS['best by chance']}",
    )


def _matched(
    run: Run,
    matched: Correspondence,
    found: Sequence[Emergence],
    layer: str,
    concept: str,
) -> None:
    """The partners of the best units, and how well all units match, to download too."""
    _partners(matched, found, layer, concept)
    partners = partial(matched.partners, found, layer, concept)
    download(partners, f"partners-{file_name(run)}-{layer}-{concept}")
    _every_unit(matched)
    download(matched.table, f"matching-{file_name(run)}-{layer}")


@recorded
def _partners(
    matched: Correspondence, found: Sequence[Emergence], layer: str, concept: str
) -> None:
    """The partners of the best units."""
    st.markdown("**The best unit's partners in the other networks**", help=DEFINITIONS["matching"])
    partners = matched.partners(found, layer, concept)
    st.dataframe(
        partners,
        hide_index=True,
        column_config={
            "auc": column("AUC", emergence.DEFINITIONS["concept auc"]),
            "correlation": column("correlation", DEFINITIONS["matching"]),
            "null": column("95th percentile, shuffled", DEFINITIONS["matching null"]),
            "untrained": column("95th percentile, untrained", DEFINITIONS["matching untrained"]),
            "partner's auc": column("partner's AUC", emergence.DEFINITIONS["concept auc"]),
            "best there": st.column_config.NumberColumn(
                help="The best unit for the concept in the other network: the partner, or another."
            ),
        },
    )
    same = also_best(partners)
    st.caption(
        f"{matched.digits:,} digits of the discovery half. In {same} of {len(partners)} rows the "
        "partner is also the other network's best unit. Unit numbers have no meaning in another "
        "network."
    )


@recorded
def _every_unit(matched: Correspondence) -> None:
    """How well all units match."""
    st.markdown("**All units, matched**", help=DEFINITIONS["matching null"])
    table = matched.table()
    st.vega_lite_chart(finished_chart(figures.correspondence, table), key="units matched")
    st.caption(
        f"One tick for each of the {matched.partner.shape[2]} units; blue: the trained networks; "
        "grey: the same networks before training; orange: the 95th percentile over units when "
        "the digits are shuffled.",
        help=DEFINITIONS["matching untrained"],
    )
