"""The digits of each expert: their mean, and those that the gate assigns most clearly."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import pictures
from core.architectures.mixture.assignment import GateAssignment
from core.runtime.drawings import DRAWINGS, drawn_once
from pages.kit import links
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.parts.mixture.controls import View

__all__ = ["digits"]

SUREST = 12  # digits of an expert


def digits(view: View, taken: GateAssignment) -> None:
    """Mean digits of all experts; of the chosen one, the surest digits, which open."""
    of = taken.confirmation
    st.subheader("The digits of each expert")
    expert = links.integer("expert", 0, of.experts - 1, int(of.load.argmax()))
    chosen = expert.value()
    picked = image_grid(
        _means(taken),
        key="grid of mean digits",
        label=f"Mean digit of each expert of {view.gate}",
        selected=chosen,
        scale=3,
    )
    if picked is not None and picked != chosen:
        links.put(expert=picked)
        st.rerun()
    st.caption(
        "Mean of the digits that each expert receives; black: the largest value. Below: expert · "
        "load. Striped: it receives none. Click one to see its digits."
    )
    own = DRAWINGS.get(GateAssignment.surest, taken, chosen, SUREST)
    if not len(own):
        st.markdown(f"Expert {chosen} receives no digits.")
        return
    _surest(view, taken, chosen, own)


@drawn_once
def _means(taken: GateAssignment) -> Grid:
    """The mean digit of each expert."""
    of = taken.confirmation
    counts = np.bincount(of.first, minlength=of.experts)
    names = [f"expert {at}: mean of the {n:,} digits it receives" for at, n in enumerate(counts)]
    marks = [f"{at} · {share:.0%}" for at, share in enumerate(of.load)]
    return gallery(pictures.hatched(pictures.stretched(taken.means()), counts == 0), names, marks)


def _surest(view: View, taken: GateAssignment, expert: int, own: np.ndarray) -> None:
    """The digits of one expert, the surest first; a click follows the digit."""
    labels = taken.confirmation.labels[own]
    weights = taken.confirmation.gates[own, expert]
    images = taken.digits.images[own.tolist(), 0].numpy()
    ids = taken.digits.ids
    names = [
        f"{ids[at]}, a {label}: weight {weight:.4f}"
        for at, label, weight in zip(own, labels, weights, strict=True)
    ]
    st.markdown(f"**Expert {expert}**: the digits that the gate assigns most clearly")
    picked = image_grid(
        gallery(pictures.ink(images), names, [f"a {label}" for label in labels]),
        key="grid of surest digits",
        label=f"Clearest digits of expert {expert} of {view.gate}",
        scale=2,
    )
    st.caption(
        f"The {len(own)} digits whose score for this expert is farthest above that of any other "
        "expert. Click one to follow it through the gate."
    )
    if picked is not None:
        links.put(digit=ids[own[picked]], view="digit", expert=None)
        st.rerun()
