"""What a unit gets from the units below and gives to those above; a click leads along the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

import pandas as pd
import streamlit as st

from core.activations import layer_of
from core.analyses.profiles.task import Study
from core.analyses.wiring import Wiring
from core.analyses.wiring.task import WiringTask
from core.data import DataSet
from core.units import UnitId
from core.wires import IMAGE, MIXED, NO_SUM, NONE
from pages.kit import controls, links
from pages.kit.digit import choose_digit, digit_option, first_of_each
from pages.kit.glossary import DEFINITIONS
from pages.kit.grid import image_grid
from pages.kit.opening import addresses
from pages.kit.tables import download
from pages.kit.waiting import result_of
from pages.parts.units.examples import judged
from pages.parts.units.wire_tiles import Row, Wired, pixels, row

__all__ = ["opens", "wired"]

WHICH = links.one_of("contributions", ("average", "digit"))
_WHY = MappingProxyType(
    {
        NONE: "No weights of its own lead to {layer}: a fixed rule computes its units from the "
        "layers before it, so there are no contributions to show.",
        NO_SUM: "What is read of {layer} ({tap}) is no sum of weights times units: something "
        "nonlinear, such as a gate, a normalization, routing or a distance, stands between, so no "
        "contributions add up to it.",
        MIXED: "Each weight of {layer} reads a number that several units make together, so no "
        "contribution belongs to one of them.",
    }
)


def wired(study: Study, layer: str, index: int) -> None:
    """The units below and above, and what flows between, on average or for a digit."""
    wiring, digits = result_of(WiringTask(study.run)), judged(study)
    of = Wired(study, wiring, digits, layer, index, _digit(wiring, digits, layer))
    place = study, wiring, digits, layer, index, of.digit
    below, above = row(*place, False), row(*place, True)
    there = addresses((*below.units, *above.units))
    _below(of, below, there[: len(below.units)])
    _above(of, above, there[len(below.units) :])
    if wiring.layers[layer].inputs or wiring.readers(layer):
        name = f"wiring-{str(of.unit).replace('/', '-')}"
        download(lambda: _table(of), name, "Download all contributions")


def opens(units: Sequence[UnitId]) -> Callable[[int], None]:
    """What opens the unit whose picture is clicked."""
    return lambda picked: links.put(unit=units[picked], layer=None)


def _digit(wiring: Wiring, digits: DataSet, layer: str) -> int | None:
    """The number of the digit whose contributions are shown, None for the average."""
    if not wiring.layers[layer].inputs and not wiring.readers(layer):
        return None
    which = controls.pick(
        WHICH,
        "Contributions",
        names={"average": "on average", "digit": "for one digit"}.__getitem__,
        help=DEFINITIONS["contribution"],
    )
    if which == "average":
        return None
    option = digit_option("digit", digits)
    number = option.value()
    choose_digit(
        option,
        digits,
        first_of_each(digits, 0, 1),
        key="grid of wired digits",
        label="Digits to follow through the wires",
    )
    st.caption(f"{digits.ids[number]}, a {digits.labels[number]}.")
    return number


def _below(of: Wired, found: Row, there: list[str | None]) -> None:
    """What the unit reads."""
    st.markdown("**Below**: what it reads")
    layer = of.wiring.layers[of.layer]
    if layer.wires.missing:
        st.caption(_why(of, of.layer))
        return
    if IMAGE in layer.inputs:
        drawn = pixels(of.study, of.wiring, of.digits, of.layer, of.index, of.digit)
        label = f"The weights by which {of.unit} reads the image, {_when(of)}"
        image_grid(drawn, key="grid of pixels", label=label, scale=1)
    _shown(found, "grid of inputs", f"Units that {of.unit} reads, {_when(of)}", there)
    spread, before = layer.effective[of.index], layer.effective_untrained[of.index]
    st.caption(
        f"{_pictures(found, 'that is read')}{_parts(of, found)} Spread over {spread:.1f} effective "
        f"of {layer.number} inputs on average; untrained {before:.1f}.",
        help=DEFINITIONS["effective_inputs"],
    )


def _above(of: Wired, found: Row, there: list[str | None]) -> None:
    """What reads the unit."""
    st.markdown("**Above**: what reads it")
    readers, layers = of.wiring.readers(of.layer), list(of.wiring.layers)
    if not readers:
        after = layers[layers.index(of.layer) + 1 :]
        answers = all(not of.wiring.layers[name].wires.missing for name in after)
        st.caption(
            "Nothing: this is one of the network's answers."
            if answers
            else "No layer above is a weighted sum of its units: they are combined in another way."
        )
        return
    _shown(found, "grid of readers", f"Units that read {of.unit}, {_when(of)}", there)
    others = f"{found.every} units of {_listed(readers)}"
    if not found.units:
        st.caption(f"It gives nothing to any of the {others}.")
        return
    st.caption(
        f"{_pictures(found, 'that reads')}Weight × its activation{_over(of)}: what it gives to "
        f"{len(found.units)} of the {others}, those to which it gives most{_chosen(of)}."
    )


def _listed(names: Sequence[str]) -> str:
    """One or several names, as in a sentence."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _shown(found: Row, key: str, label: str, there: list[str | None]) -> None:
    """The pictures; a click opens the unit."""
    if found.grid is not None:
        image_grid(
            found.grid,
            key=key,
            label=label,
            scale=1,
            on_pick=opens(found.units),
            addresses=there,
        )


def _pictures(found: Row, which: str) -> str:
    """What a picture shows."""
    if not found.units:
        return ""
    weights = "the weights, red above 0 and blue below, then " if found.weights else ""
    return (
        f"Each picture: {weights}the mean digit of the unit {which}, and a bar for the number "
        "below it. "
    )


def _parts(of: Wired, found: Row) -> str:
    """The contributions in words, which add up to the activation."""
    layer, on = of.wiring.layers[of.layer], of.on_digit(of.layer)
    source = layer if on is None else on
    bias, total = float(source.bias[of.index]), float(source.total[of.index])
    parts = []
    if found.units:
        parts.append(f"the {len(found.units)} strongest{_chosen(of)} {found.shown:+.2f}")
    if rest := found.every - len(found.units):
        parts.append(f"the other {rest} {found.total - found.shown:+.2f}")
    if IMAGE in layer.inputs:
        parts.append(f"the image {total - bias - found.total:+.2f}")
    mean = "mean " if of.digit is None else ""
    return (
        f"Weight × activation{_over(of)}: {', '.join(parts)}, bias {bias:+.2f}: together its "
        f"{mean}activation {total:+.2f}."
    )


def _when(of: Wired) -> str:
    """On which digits, for the label of a grid."""
    return "on average" if of.digit is None else f"for {of.digits.ids[of.digit]}"


def _over(of: Wired) -> str:
    """Over what the mean is."""
    if of.digit is not None:
        return ""
    return f", mean over {of.wiring.digits} digits of the confirmation half"


def _chosen(of: Wired) -> str:
    """Where the strongest were chosen."""
    return " (chosen on the discovery half)" if of.digit is None else ""


def _why(of: Wired, layer: str) -> str:
    """Why a layer has no contributions."""
    tap = layer_of(of.study.model, layer).tap
    return _WHY[of.wiring.layers[layer].wires.missing or NONE].format(layer=layer, tap=tap)


def _table(of: Wired) -> pd.DataFrame:
    """A row for each unit below and above."""
    parts = [
        of.ends(above).table(of.study.run.architecture).assign(direction=direction)
        for direction, above in (("below", False), ("above", True))
    ]
    return pd.concat(parts, ignore_index=True)
