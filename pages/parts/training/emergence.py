"""How the units of the model on the screen became specialized: every checkpoint of its training."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.analyses.comparing import DETECTOR, Emergence, EmergenceTask, hidden_dense
from core.charts import training as figures
from core.colours import CONTROL
from core.data.concepts import CONCEPTS
from core.runs import Run
from core.runtime.drawings import DRAWINGS
from core.statistics.limits import FEWEST
from core.training import PROBE
from core.units import UnitId
from pages.kit import halves, links, place
from pages.kit.charts import finished_chart
from pages.kit.controls import choose
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name
from pages.kit.waiting import result_of

__all__ = ["DEFINITIONS", "concept_option", "controls", "emergence", "layer_option"]

DEFINITIONS = {
    "selectivity over steps": (
        "Class selectivity index of each unit: (mean on its top class − mean on the others) / "
        "(their sum), of activations after any ReLU. The top class is determined on the same "
        "digits, so even a unit without preference is above 0: compare with the untrained network "
        "(Morcos et al. 2018)."
    ),
    "class detectors": (
        "Units whose AUC for some class, against all other digits, is above 0.9. The first point "
        "is the untrained network, which has some because of the shapes of the digits alone."
    ),
    "concept auc": (
        "Area under the ROC curve: how often a digit with the concept activates the unit more than "
        "a digit without it, ties counting half. For a part, such as a bar through the 7, only "
        "digits of its class are compared; for a class, all digits."
    ),
    "best by chance": (
        "The 95th percentile of the AUC of the layer's best unit, when the concept is shuffled "
        "among the digits of the class 500 times. The best of many units looks good by luck, so "
        "the best unit must be compared with the best unit under shuffling (max-T, Westfall & "
        "Young 1993)."
    ),
    "confirmed": "The same unit's AUC on the other half of the test digits.",
    "untrained best": "The highest AUC of any unit of this layer before training, same seed.",
    "t50": (
        "t₅₀: the first checkpoint at which AUC − ½ is half of its final value or more. "
        "Checkpoints are at 0, 1, 2, 4, … batches, so t₅₀ is only known to within a factor of "
        "two. Empty if the final AUC is 0.55 or less: nothing emerged."
    ),
    "likeness": (
        "Pearson's correlation of a unit's ten class means with its class means at the end of "
        "training: 1 if the tuning is already the final one, whatever its scale."
    ),
}
_MEANS = f"On {PROBE} digits held back from training, after 0, 1, 2, 3, 4, 6, … batches."


def layer_option(run: Run) -> links.Option[str]:
    """The layer in the address; by default the first dense one, else the last hidden one."""
    layers = tuple(layer.name for layer in run.layers)
    return links.one_of("layer", layers, next(iter(hidden_dense(run)), layers[-2]))


def concept_option(run: Run) -> links.Option[str]:
    """The concept in the address: a class, or a part that some digits of a class have."""
    drawn = run.data != "mnist"  # some parts only generated digits have
    names = [name for name, of in CONCEPTS.items() if of.label is not None]
    names = [name for name in names if drawn or not CONCEPTS[name].generated]
    return links.one_of("concept", names, "crossed-7")


def controls(run: Run, known: tuple[str, ...]) -> tuple[str, str]:
    """The choice of layer and concept, of which some may not be in these digits."""
    layer, concept = layer_option(run), concept_option(run)
    columns = st.columns(2)
    choose(layer, "Layer", where=columns[0])
    choose(
        concept,
        "Concept",
        where=columns[1],
        among=known,
        names=lambda name: CONCEPTS[name].text,
        help=DEFINITIONS["concept auc"],
    )
    return layer.value(), concept.value()


def emergence(run: Run) -> None:
    """The view: selectivity, detectors, the best unit of a concept, and when each emerged."""
    found = result_of(EmergenceTask(run))
    layer, concept = controls(run, found.concepts)
    halves.chosen_and_judged("The best unit for each concept was chosen")
    left, right = st.columns(2)
    with left:
        _selectivity(found, layer)
    with right:
        _detectors(found)
    left, right = st.columns(2)
    with left:
        _best_unit(run, found, layer, concept)
    with right:
        _likeness(found)
    _times(run, found, layer)


@recorded
def _selectivity(found: Emergence, layer: str) -> None:
    """The spread of selectivity over steps, and whether its median receded."""
    st.markdown(f"**Class selectivity of {layer}**", help=DEFINITIONS["selectivity over steps"])
    chart = finished_chart(figures.ribbon, found.spread(layer), "selectivity")
    st.vega_lite_chart(chart, key="selectivity ribbon")
    units = found.selectivity[layer].shape[1]
    st.caption(
        f"Median of {units} units; band: 10 % to 90 % quantile; grey: the median before "
        f"training. {_MEANS}"
    )
    st.markdown(_receding(found, layer))


def _receding(found: Emergence, layer: str) -> str:
    """Whether selective units came early and went again, in a sentence."""
    top, last = found.peak(layer), int(found.recorded[-1])
    if top.step == last:
        said = f"is highest at the end ({top.last:.2f}): it did not decline in this training."
    else:
        verdict = "it declined" if top.receded else "a decline is not shown"
        said = (
            f"is highest ({top.highest:.2f}) after {top.step:,} of {last:,} batches and "
            f"{top.last:.2f} at the end: {verdict} (decline {top.fall:.2f}, 95 % interval over "
            f"units {top.low:.2f} to {top.high:.2f}, for this step of the peak)."
        )
    return (
        "Does selectivity peak early and then decline, as in a ResNet-50 (Ranadive et al. 2023)? "
        f"Here the median selectivity of {layer} {said}"
    )


@recorded
def _detectors(found: Emergence) -> None:
    """How many units of each layer are detectors of a class."""
    st.markdown("**Detectors of a class**", help=DEFINITIONS["class detectors"])
    chart = finished_chart(
        figures.over_steps, found.detectors_by_layer(), "detectors", "layer", title="units"
    )
    st.vega_lite_chart(chart, key="detectors over steps")
    st.caption(
        f"Units with an AUC above {DETECTOR} for some class, at the {len(found.steps)} saved "
        "checkpoints, on the discovery half of the test digits."
    )


def _best_unit(run: Run, found: Emergence, layer: str, concept: str) -> None:
    """The AUC of the unit that ends best, of the best at each checkpoint, and a way to the unit."""
    unit = UnitId(run.architecture, layer, DRAWINGS.get(_best, found, layer, concept))
    _over_steps(found, unit, concept)
    place.link("units", f"The page of {unit}", unit=unit)


def _best(found: Emergence, layer: str, concept: str) -> int:
    """The unit that ends best."""
    return found.best(layer, concept)


@recorded
def _over_steps(found: Emergence, unit: UnitId, concept: str) -> None:
    """The AUC of the unit, and of the best at each checkpoint."""
    text, layer = CONCEPTS[concept].text, unit.layer
    st.markdown(f"**The best unit for “{text}”**", help=DEFINITIONS["concept auc"])
    curves = {
        f"{unit}, best at the end": found.curve(layer, concept, unit.index),
        "best at each checkpoint": found.curve(layer, concept),
    }
    frame = pd.concat(
        pd.DataFrame({"unit": name, "step": found.steps, "auc": of}) for name, of in curves.items()
    )
    row = found.table(layer).set_index("concept").loc[concept]
    chance = pd.DataFrame({"auc": [row["chance"]]})
    chart = finished_chart(figures.over_steps, frame, "auc", "unit", title="AUC", chance=chance)
    st.vega_lite_chart(chart, key="best unit over steps")
    st.caption(
        f"{row['digits']:.0f} digits of the discovery half have the concept. AUC {row['auc']:.2f} "
        f"at the end, {row['confirmed']:.2f} on the other half. Grey, dashed: "
        f"{row['chance']:.2f}, the 95th percentile of the best unit under shuffling; best "
        f"untrained unit: {row['untrained']:.2f}.",
        help=DEFINITIONS["best by chance"],
    )


@recorded
def _likeness(found: Emergence) -> None:
    """How early units answer to the classes as they will at the end."""
    st.markdown("**Tuning, compared with the end**", help=DEFINITIONS["likeness"])
    chart = finished_chart(
        figures.over_steps, found.tuning(), "correlation", "layer", title="correlation"
    )
    st.vega_lite_chart(chart, key="likeness over steps")
    st.caption(f"Median unit of each layer; 1 at the end by definition. {_MEANS}")


def _times(run: Run, found: Emergence, layer: str) -> None:
    """When each concept's best unit got half as good as it is, as a table to download."""
    _emerged(found, layer)
    name = f"emergence-{file_name(run)}-{layer}"
    download(partial(_in_words, found, layer), name)


def _in_words(found: Emergence, layer: str) -> pd.DataFrame:
    """The table of the concepts, each in words."""
    return found.table(layer).assign(concept=lambda of: of["concept"].map(_text))


@recorded
def _emerged(found: Emergence, layer: str) -> None:
    """The table, grey where it says little."""
    st.markdown(f"**When concepts emerge in {layer}**", help=DEFINITIONS["t50"])
    helps = {
        "auc": ("AUC", "concept auc"),
        "confirmed": ("AUC, other half", "confirmed"),
        "chance": ("95th percentile, shuffled", "best by chance"),
        "untrained": ("untrained", "untrained best"),
        "t50": ("t₅₀, batches", "t50"),
    }
    st.dataframe(
        _in_words(found, layer).style.apply(_greyed, axis=1),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(
                title, format="%d" if name == "t50" else "%.3f", help=DEFINITIONS[key]
            )
            for name, (title, key) in helps.items()
        },
    )
    st.caption(
        "The best unit for each concept was chosen on the discovery half, so its AUC there is "
        "too optimistic: compare it with the shuffles, or use the other half. Grey: concepts "
        f"with fewer than {FEWEST} of these digits, too few to rely on."
    )


def _greyed(row: pd.Series) -> list[str]:
    """Grey for a concept that too few digits have."""
    return [f"color: {CONTROL}" if row["digits"] < FEWEST else ""] * len(row)


def _text(concept: str) -> str:
    """A concept in words."""
    return CONCEPTS[concept].text
