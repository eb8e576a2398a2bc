"""The movie: every unit of a layer through training, its gradients above its activations."""

from __future__ import annotations

import streamlit as st

from core.analyses.movie import ROWS
from core.analyses.movie import Film as Recorded
from core.analyses.movie.task import MovieTask
from core.analyses.profiles.task import Study
from core.units import UnitId
from pages.kit import links, place
from pages.kit.controls import choose
from pages.kit.glossary import DEFINITIONS
from pages.kit.movie_player import Film, movie_player
from pages.kit.waiting import result_of

__all__ = ["film"]

ROW_NAMES = {"activation": "as they are", "rectified": "rectified"}
ROW = links.one_of("rows", ROWS[1:])


def film(study: Study) -> None:
    """The movie of the layer that the address names."""
    layers = study.model.layers
    layer = links.one_of("layer", layers, layers[-3] if len(layers) > 2 else layers[0])
    left, right = st.columns(2)
    choose(layer, "Layer", where=left, resets=("pins",))  # another layer has other units
    choose(
        ROW,
        "Activations",
        where=right,
        names=ROW_NAMES.__getitem__,
        help=DEFINITIONS["activation row"],
    )
    filmed = result_of(MovieTask(study.run))
    recorded = filmed.film
    name, units = layer.value(), len(study.profiles[layer.value()])
    order = [int(unit) for unit in recorded.order(name)]
    names = [str(UnitId(study.run.architecture, name, index)) for index in order]
    pins = links.several("pins", names, most=8)
    pinned = [names.index(pin) for pin in pins.value()]
    picked = movie_player(
        _reel(recorded, str(study.run), study.run.architecture, name, ROW.value()),
        key="film",
        label=f"{name} of {study.run}, {ROW_NAMES[ROW.value()]}",
        pinned=pinned,
    )
    if picked is not None and picked != pinned:
        links.put(pins=",".join(names[at] for at in picked) or None)
        st.rerun()
    _captions(recorded, filmed.same, units)
    for pin in pins.value():
        place.link("units", f"Open {pin}", unit=UnitId.parse(pin))


@st.cache_resource(max_entries=4, show_spinner="Preparing the movie")
def _reel(_recorded: Recorded, which: str, model: str, layer: str, row: str) -> Film:
    """The movie of one layer in the player's form, units in the order of their classes."""
    order = _recorded.order(layer)
    return Film(
        units=tuple(str(UnitId(model, layer, int(unit))) for unit in order),
        classes=_recorded.accuracy.shape[1],
        frames=tuple(int(frame) for frame in _recorded.frames),
        upper=_recorded.sheets[layer, ROWS[0]],
        lower=_recorded.sheets[layer, row],
        loss=_recorded.loss,
        accuracy=_recorded.accuracy,
        scalars=_recorded.scalars[layer][:, order],
        preferred=_recorded.preferred(layer)[:, order],
    )


def _captions(recorded: Recorded, same: bool, units: int) -> None:
    """What was recorded, where, and whether it is the very same training."""
    st.caption(
        f"{units} units, {len(recorded.loss):,} batches, pictures at {len(recorded.frames)} of "
        "them. Gradient rows use training digits; activation rows are class sums over the digits "
        "of the discovery half. Units are ordered by the class for which their gradient is "
        "highest at the end.",
        help=f"{DEFINITIONS['gradient row']}\n\n{DEFINITIONS['activation row']}",
    )
    if not same:
        st.warning(
            "The recorded training ended with slightly different weights from the model on the "
            "other pages, because another machine or another number of threads rounds "
            "differently. Compare units by what they do, not by their numbers."
        )
