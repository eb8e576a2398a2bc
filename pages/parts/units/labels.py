"""What a unit responds to in words, how well that holds, and the effect of adding a part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st
import torch

from core import charts, pictures
from core.activations import peaks
from core.analyses.described import DescribedDigitsTask
from core.analyses.labelling import NONE, Labels, score_card
from core.analyses.labelling.task import UnitLabels, UnitLabelsTask
from core.analyses.profiles.task import Study
from core.claims.carrier_task import CarrierTask
from core.data.concepts import CONCEPTS
from core.runtime import cache
from core.runtime.drawings import DRAWINGS
from core.units import UnitId
from pages.kit import activations, controls, links, place
from pages.kit.carried import ABOUT, sentence
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.grid import image_grid
from pages.kit.recorded import recorded
from pages.kit.waiting import result_of

__all__ = ["labels"]

_CARD = ("correlation", "auc", "balanced", "coverage")


def labels(study: Study, layer: str, index: int) -> None:
    """The label of a unit with its score card, and the effect of each optional part."""
    named = result_of(UnitLabelsTask(study.run))
    profile = study.profiles[layer]
    if profile.dead[index] or profile.constant[index]:
        st.markdown(
            "**No label.** Its activation is the same on all digits, so nothing predicts it."
        )
        return
    _said(named.labels[layer], index)
    _carried(study, named.labels[layer], layer, index)
    left, right = st.columns([3, 2])
    with left:
        _card(named.labels[layer], index)
    with right:
        _differences(named, layer, index)
    _pairs(study, named, layer, index)
    _own(study, layer, index)
    name = UnitId(study.run.architecture, layer, index)
    place.link("dissection", "Every concept's score", unit=name)


@recorded
def _said(found: Labels, index: int) -> None:
    """The label in a sentence."""
    label, candidate = str(found.label[index]), str(found.candidate[index])
    if label == NONE:
        st.markdown(
            f"**No label.** The best candidate, “{candidate}”, predicts its activation no better "
            f"than under shuffling (correlation {found.correlation[index]:.2f}; 99th percentile "
            f"under shuffling {found.null[index]:.2f}; a label needs at least 0.10).",
            help=DEFINITIONS["label"],
        )
        return
    several = " (polysemantic: two labels)" if "|" in label else ""
    st.markdown(f"It responds to **{label}**{several}.", help=DEFINITIONS["label"])


def _carried(study: Study, found: Labels, layer: str, index: int) -> None:
    """What carries the label's concept in the layer, once that was asked; else the way to ask."""
    concept = found.code[index].partition("|")[0].rpartition(",")[2].removeprefix("!")
    if concept not in CONCEPTS or CONCEPTS[concept].label is None:
        return
    task = CarrierTask(study.run, layer, concept)
    known = cache.find(task)
    if known is not None:
        st.markdown(sentence(known, task), help=ABOUT)
        return
    place.link(
        "ask",
        f"Is “{CONCEPTS[concept].text}” carried by a unit of this layer, or by a direction?",
        layer=layer,
        concept=concept,
        units=UnitId(study.run.architecture, layer, index),
    )


def _metrics(values: Mapping[str, float]) -> None:
    """The numbers of a score card."""
    for column, name in zip(st.columns(len(_CARD)), _CARD, strict=True):
        column.metric(NAMES[name], f"{values[name]:.2f}", help=DEFINITIONS[name])


@recorded
def _card(found: Labels, index: int) -> None:
    """The scores of the label on digits that it was not chosen on."""
    _metrics({name: getattr(found, name)[index] for name in _CARD})
    st.caption(
        f"“{found.candidate[index]}”, {found.n[index]:,} digits of the confirmation half. "
        f"Correlation {found.found[index]:.2f} on the discovery half; {found.mixed[index]:.2f} "
        f"among top and random digits; 99th percentile under shuffling {found.null[index]:.2f}. "
        f"Average precision {found.precision[index]:.2f}, by chance {found.base[index]:.2f}.",
        help=f"{DEFINITIONS['precision']}\n\n{DEFINITIONS['mixed']}",
    )


@recorded
def _differences(named: UnitLabels, layer: str, index: int) -> None:
    """What each part does to the unit, on pairs that differ in nothing else."""
    rows = [
        {
            "name": f"{name}" if "," in name else f"{name}, drawn digits",
            "mean": float(of.mean[index]),
            "low": float(of.low[index]),
            "high": float(of.high[index]),
            "p": float(of.p_value[index]),
            "n": of.n,
        }
        for name, of in named.differences[layer].items()
    ]
    frame = pd.DataFrame(rows)
    st.markdown("**Add a part to the same digit**", help=DEFINITIONS["difference"])
    if np.allclose(frame["mean"], 0) and np.allclose(frame["high"], 0):
        st.info("No part changes its activation at all.", icon=":material/horizontal_rule:")
        return
    st.vega_lite_chart(finished_chart(charts.differences, frame), key="differences")
    st.caption(
        "Mean change of activation with 95 % intervals; point at one for the number of pairs."
    )


def _pairs(study: Study, named: UnitLabels, layer: str, index: int) -> None:
    """Some of the pairs, with the unit's activation on each digit."""
    with st.expander("Look at the pairs", icon=":material/compare:"):
        names = sorted(named.pairs, key=lambda name: (not name.startswith("crossbar,"), name))
        pair = links.one_of("pair", names)
        shown = named.pairs[controls.pick(pair, "Part", bare=True)]
        n = len(shown)
        both_of = torch.cat([shown.present, shown.absent])
        values = DRAWINGS.get(peaks, study.model, both_of, layer)[:, index]
        tall = torch.cat([shown.present, shown.absent], dim=2)  # one above the other
        both = list(zip(values[:n], values[n:], strict=True))
        grid = gallery(
            pictures.ink(tall[:, 0].numpy()),
            [f"activation {there:.2f} with the part, {gone:.2f} without" for there, gone in both],
            [f"{there:.2f} · {gone:.2f}" for there, gone in both],
        )
        image_grid(grid, key="grid of pairs", label=f"pairs of {pair.value()}", scale=3)
        st.caption(
            f"{n} of {shown.made}: top row with the {shown.part}, bottom row the same digit "
            "without it. The unit's activation with · without, after its ReLU if it has one; of "
            "a map, its maximum."
        )


def _own(study: Study, layer: str, index: int) -> None:
    """The same score card for a label that a person chooses."""
    with st.expander("Score a label of your own", icon=":material/edit:"):
        described = result_of(DescribedDigitsTask(study.run.data))
        names = [name for name in described.measured.names if CONCEPTS[name].category != "position"]
        own = links.one_of("own", ("none", *names))
        controls.choose(
            own,
            "It responds to",
            names=lambda name: CONCEPTS[name].text if name in CONCEPTS else name,
        )
        if own.value() == "none":
            st.caption("Choose a concept: it is scored as the automatic label is.")
            return
        samples = [activations.half(described, split) for split in ("discovery", "confirmation")]
        answers = [activations.activations(study.model, of, layer)[:, [index]] for of in samples]
        carried = [of.measured.only([own.value()]).present() for of in samples]
        card = score_card(answers[0], carried[0], answers[1], carried[1])
        _metrics({name: card[name][0] for name in _CARD})
        st.caption(
            f"{card['n'][0]:,} digits of the confirmation half have it. 99th percentile of the "
            f"correlation under shuffling: {card['null'][0]:.2f}. Average precision "
            f"{card['precision'][0]:.2f}, by chance {card['base'][0]:.2f}."
        )
