"""How the units of the model on the screen became specialized: every checkpoint of its training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.analyses.comparing import DETECTOR, Emergence, Emerging, hidden_dense, peak
from core.charts import training as figures
from core.claims.verdicts import FEWEST
from core.data.concepts import CONCEPTS
from core.models.registry import MODELS
from core.runtime.task import Choice
from core.training import PROBE
from pages.kit import links, place
from pages.kit.charts import finished_chart
from pages.kit.tables import download
from pages.kit.waiting import result_of

__all__ = ["DEFINITIONS", "address", "concept_option", "controls", "emergence", "layer_option"]

DEFINITIONS = {
    "selectivity over steps": (
        "Class selectivity index of each unit: (mean on its top class − mean on the others) / "
        "(their sum), of activations after any ReLU. The top class is that of the same digits, so "
        "a unit without any preference is above 0 too: read it against the untrained network "
        "(Morcos et al. 2018)."
    ),
    "class detectors": (
        "Units whose AUC for some class, against all other digits, is above 0.9. The first point "
        "is the untrained network, which has some by the shape of the digits alone."
    ),
    "concept auc": (
        "Area under the ROC curve: how often a digit with the concept activates the unit more than "
        "a digit without it, ties counting half. For a part, such as a bar through the 7, only "
        "digits of its class are compared; for a class, all digits."
    ),
    "best by chance": (
        "The concept is dealt anew to the digits, within the class, 500 times: the best unit of "
        "the layer stays below this AUC in 95 % of them. The best of many units looks good by "
        "luck, so the best unit must be read against the best of shuffles (max-T, Westfall & Young "
        "1993)."
    ),
    "confirmed": "The same unit's AUC on the other half of the test digits.",
    "untrained best": "The highest AUC of any unit of this layer before training, same seed.",
    "t50": (
        "t₅₀: the first checkpoint at which AUC − ½ is half of its final value or more. "
        "Checkpoints are at 0, 1, 2, 4, … batches, so it's known to a factor of two. Empty where "
        "the final AUC is 0.55 or less: nothing emerged."
    ),
    "likeness": (
        "Pearson's correlation of a unit's ten class means with those that it has at the end: 1 "
        "when it answers to the classes as it will, whatever its scale."
    ),
}
_MEANS = f"On {PROBE} digits held back from training, after 0, 1, 2, 3, 4, 6, … batches."


def layer_option(choice: Choice) -> links.Option[str]:
    """The layer in the address; the first dense one unless told, else the last hidden one."""
    layers = tuple(layer.name for layer in MODELS[choice.model].architecture.described)
    return links.one_of("layer", layers, next(iter(hidden_dense(choice.model)), layers[-2]))


def concept_option(choice: Choice) -> links.Option[str]:
    """The concept in the address: a class, or a part that some digits of a class have."""
    drawn = choice.data != "mnist"  # some parts only generated digits have
    names = [name for name, of in CONCEPTS.items() if of.label is not None]
    names = [name for name in names if drawn or not CONCEPTS[name].generated]
    return links.one_of("concept", names, "crossed-7")


def address() -> dict[str, object]:
    """Every choice of the view."""
    choice = place.asked()
    return {of.key: of.value() for of in (layer_option(choice), concept_option(choice))}


def controls(choice: Choice, known: tuple[str, ...]) -> tuple[str, str]:
    """The choice of layer and concept, of which some may not be in these digits."""
    layer, concept = layer_option(choice), concept_option(choice)
    columns = st.columns(2)
    layer.shown()
    names = tuple(of.name for of in MODELS[choice.model].architecture.described)
    columns[0].selectbox("Layer", names, key=layer.key, on_change=layer.changed)
    concept.shown()
    columns[1].selectbox(
        "Concept",
        known,
        key=concept.key,
        on_change=concept.changed,
        format_func=lambda name: CONCEPTS[name].text,
        help=DEFINITIONS["concept auc"],
    )
    return layer.value(), concept.value()


def emergence(choice: Choice) -> None:
    """The view: selectivity, detectors, the best unit of a concept, and when each emerged."""
    found = result_of(Emerging(choice))
    layer, concept = controls(choice, found.concepts)
    left, right = st.columns(2)
    with left:
        _selectivity(found, layer)
    with right:
        _detectors(found)
    left, right = st.columns(2)
    with left:
        _best_unit(found, layer, concept)
    with right:
        _likeness(found)
    _times(choice, found, layer)


def _selectivity(found: Emergence, layer: str) -> None:
    """The spread of selectivity over steps, and whether its median receded."""
    st.markdown(f"**Class selectivity of {layer}**", help=DEFINITIONS["selectivity over steps"])
    of = found.selectivity[layer]
    low, median, high = np.quantile(of, [0.1, 0.5, 0.9], axis=1)
    frame = pd.DataFrame({"step": found.recorded, "low": low, "median": median, "high": high})
    st.vega_lite_chart(
        finished_chart(figures.ribbon, frame, "selectivity"), key="selectivity ribbon"
    )
    st.caption(
        f"Median of {of.shape[1]} units, the band from the 10 % to the 90 % quantile; grey: the "
        f"median before training. {_MEANS}"
    )
    st.markdown(_receding(found, layer))


def _receding(found: Emergence, layer: str) -> str:
    """Whether selective units came early and went again, in a sentence."""
    top, last = peak(found.recorded, found.selectivity[layer]), int(found.recorded[-1])
    if top.step == last:
        said = f"is highest at the end ({top.last:.2f}): it did not recede in this training."
    else:
        verdict = "it receded" if top.receded else "that it receded is not shown"
        said = (
            f"is highest ({top.highest:.2f}) after {top.step:,} of {last:,} batches and "
            f"{top.last:.2f} at the end: {verdict} (fall {top.fall:.2f}, 95 % interval over units "
            f"{top.low:.2f} to {top.high:.2f}, the step of the peak being given)."
        )
    return (
        f"Do selective units peak early and then recede, as in a ResNet-50 (Ranadive et al. 2023)? "
        f"Here the median selectivity of {layer} {said}"
    )


def _detectors(found: Emergence) -> None:
    """How many units of each layer are detectors of a class."""
    st.markdown("**Detectors of a class**", help=DEFINITIONS["class detectors"])
    rows = [
        {"layer": layer, "step": step, "detectors": count}
        for layer in found.auc
        for step, count in zip(found.steps, found.detectors(layer), strict=True)
    ]
    chart = finished_chart(
        figures.over_steps, pd.DataFrame(rows), "detectors", "layer", title="units"
    )
    st.vega_lite_chart(chart, key="detectors over steps")
    st.caption(
        f"Units with an AUC above {DETECTOR} for some class, at the {len(found.steps)} checkpoints "
        "that were kept, on the discovery half of the test digits."
    )


def _best_unit(found: Emergence, layer: str, concept: str) -> None:
    """The AUC of the unit that ends best, and of the best at each checkpoint."""
    text, unit = CONCEPTS[concept].text, found.best(layer, concept)
    st.markdown(f"**The best unit for “{text}”**", help=DEFINITIONS["concept auc"])
    curves = {
        f"{layer}/{unit}, best at the end": found.curve(layer, concept, unit),
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
        f"{row['digits']:.0f} digits of the discovery half have it. AUC {row['auc']:.2f} at the "
        f"end, {row['confirmed']:.2f} on the other half; grey, dashed: the best unit of 95 % of "
        f"shuffles stays below {row['chance']:.2f}; the best untrained unit has "
        f"{row['untrained']:.2f}.",
        help=DEFINITIONS["best by chance"],
    )
    place.link("units", f"The page of {layer}/{unit}", layer=layer, unit=unit)


def _likeness(found: Emergence) -> None:
    """How early units answer to the classes as they will at the end."""
    st.markdown("**Tuning, compared with the end**", help=DEFINITIONS["likeness"])
    rows = [
        {"layer": layer, "step": step, "correlation": value}
        for layer, of in found.likeness.items()
        for step, value in zip(found.recorded, np.median(of, axis=1), strict=True)
    ]
    chart = finished_chart(
        figures.over_steps, pd.DataFrame(rows), "correlation", "layer", title="correlation"
    )
    st.vega_lite_chart(chart, key="likeness over steps")
    st.caption(f"The median unit of each layer; 1 at the end by definition. {_MEANS}")


def _times(choice: Choice, found: Emergence, layer: str) -> None:
    """When each concept's best unit got half as good as it is."""
    st.markdown(f"**When concepts emerge in {layer}**", help=DEFINITIONS["t50"])
    table = found.table(layer).assign(concept=lambda of: of["concept"].map(_text))
    helps = {
        "auc": ("AUC", "concept auc"),
        "confirmed": ("AUC, other half", "confirmed"),
        "chance": ("95 % of shuffles", "best by chance"),
        "untrained": ("untrained", "untrained best"),
        "t50": ("t₅₀, batches", "t50"),
    }
    st.dataframe(
        table.style.apply(_greyed, axis=1),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(
                title, format="%d" if name == "t50" else "%.3f", help=DEFINITIONS[key]
            )
            for name, (title, key) in helps.items()
        },
    )
    st.caption(
        "The best unit of each concept was chosen on the discovery half, on which its AUC is "
        "flattered: read it against shuffles, or read the other half. Grey: concepts that fewer "
        f"than {FEWEST} of these digits have, too few to rely on."
    )
    name = f"emergence-{choice.data}-{choice.model}-seed{choice.seed}-{layer}"
    download(table, name)


def _greyed(row: pd.Series) -> list[str]:
    """Grey for a concept that too few digits have."""
    return ["color: #94a3b8" if row["digits"] < FEWEST else ""] * len(row)


def _text(concept: str) -> str:
    """A concept in words."""
    return CONCEPTS[concept].text
