"""The claim: which units, which concept, and how they are removed; all of it in the address."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from core.analyses.described import DescribedDigits
from core.analyses.profiles.task import Study
from core.arguments import parse_whole
from core.claims import KINDS
from core.claims.evidence import question
from core.claims.operators import IN_WORDS
from core.data import members
from core.data.concepts import CONCEPTS
from core.statistics.limits import FEWEST
from core.text import literal
from core.units import UnitId
from pages.kit import links
from pages.kit.controls import choose, text
from pages.kit.glossary import DEFINITIONS

__all__ = ["Asked", "controls"]

KIND = links.one_of("kind", KINDS)


@dataclass(frozen=True)
class Asked:
    """The claim in the address. units: sorted, none yet when empty. n: confirmation digits."""

    layer: str
    units: tuple[int, ...]
    concept: str
    kind: str
    n: int

    @property
    def label(self) -> int | None:
        """The class that the concept belongs to, if one."""
        return CONCEPTS[self.concept].label

    def key(self) -> tuple[str, tuple[int, ...], str, str]:
        """What the test depends on, besides the model."""
        return self.layer, self.units, self.concept, self.kind

    def address(self, model: str) -> dict[str, object]:
        """The claim as it stands in a link. model: whose units they are."""
        units = name_units(model, self.layer, self.units) or None
        return {"layer": self.layer, "units": units, "concept": self.concept, "kind": self.kind}


def controls(study: Study, described: DescribedDigits) -> Asked:
    """The widgets of the claim, and the claim."""
    layer = links.one_of("layer", study.model.layers, study.widest)
    counts = _counts(described)
    usual = "crossed-7" if counts.get("crossed-7", 0) >= FEWEST else "class-7"
    concept = links.one_of("concept", tuple(counts), usual)
    columns = st.columns([1.1, 2, 1.5, 1.3])
    # units of another layer are other units
    choose(layer, "Layer", where=columns[0], resets=("units", "ticked"))
    units = _units(study, layer.value())
    text(
        units,
        "Units",
        where=columns[1],
        hint="for example 58, 28; leave empty for candidates",
        help="Unit numbers of this layer, separated by commas; 3-7 means a range. Leave the field "
        "empty to pick units from the list below.",
    )

    def named(name: str) -> str:
        text = CONCEPTS[name].text.removeprefix("class ")
        few = f" · too few ({counts[name]})" if counts[name] < FEWEST else ""
        return f"{'digit ' if name.startswith('class-') else ''}{text}{few}"

    choose(concept, "Concept", where=columns[2], names=named)
    choose(
        KIND, "Replacement value", where=columns[3], names=IN_WORDS.__getitem__,
        help=DEFINITIONS["operator"],
    )  # fmt: skip
    chosen = parse_units(units.value(), len(study.profiles[layer.value()])) or ()
    asked = Asked(layer.value(), chosen, concept.value(), KIND.value(), counts[concept.value()])
    _aloud(study, asked)
    return asked


def parse_units(text: str, units: int) -> tuple[int, ...]:
    """Whole numbers and ranges, such as "3-7, 12", sorted; `ValueError` in a sentence."""
    found: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        before, dash, after = (piece.strip() for piece in part.partition("-"))
        first, last = parse_whole(before), parse_whole(after if dash else before)
        if first is None or last is None or not 0 <= first <= last < units:
            raise ValueError(
                f"{literal(part)} names no unit of this layer: write numbers from 0 to "
                f"{units - 1}, with commas, or a range such as 3-7."
            )
        found |= set(range(first, last + 1))
    if len(found) == units:
        raise ValueError(
            f"These are all {units} units of the layer: leave out at least one, or nothing is left "
            "to compare with."
        )
    return tuple(sorted(found))


def write_units(units: tuple[int, ...]) -> str:
    """Units as they stand in the address, runs of three and more as a range."""
    runs: list[list[int]] = []
    for unit in units:
        if runs and unit == runs[-1][1] + 1:
            runs[-1][1] = unit
        else:
            runs.append([unit, unit])
    return ",".join(
        f"{a}-{b}" if b > a + 1 else ",".join(map(str, range(a, b + 1))) for a, b in runs
    )


def name_units(model: str, layer: str, units: Iterable[int]) -> str:
    """Units as they stand in the address, each by its name."""
    return ",".join(str(UnitId(model, layer, unit)) for unit in units)


def _units(study: Study, layer: str) -> links.Option[str]:
    """The text of the units, by number or name, checked; in the address their names."""
    count = len(study.profiles[layer])

    def parse(text: str) -> str:
        pieces = [
            _named(study, layer, piece) if "/" in piece else piece for piece in text.split(",")
        ]
        parse_units(",".join(pieces), count)
        return ",".join(pieces)

    def write(text: str) -> str:
        with suppress(ValueError):
            return name_units(study.run.architecture, layer, parse_units(parse(text), count))
        return text.strip()  # which is then shown as it is, with what is right instead

    return links.Option("units", "", parse, write, ("", *map(str, range(count))))


def _named(study: Study, layer: str, text: str) -> str:
    """The number of a unit given by its full name."""
    unit = UnitId.parse(text.strip())
    if (unit.model, unit.layer) != (study.run.architecture, layer):
        raise ValueError(
            f"{literal(unit)} is no unit of this layer, and this claim is about "
            f"{study.run.architecture}/{layer}: choose that layer first."
        )
    return str(unit.index)


def _counts(described: DescribedDigits) -> dict[str, int]:
    """Confirmation digits that have each concept, those with too few last."""
    index = members("confirmation", described.digits.labels).numpy()
    present = described.measured.present()[index].sum(0)
    names = [
        name
        for name in described.measured.names
        if CONCEPTS[name].label is not None and CONCEPTS[name].category != "position"
    ]
    counts = {name: int(present[described.measured.names.index(name)]) for name in names}
    order = sorted(names, key=lambda name: (counts[name] < FEWEST, name.startswith("class-")))
    return {name: counts[name] for name in order if counts[name]}


def _aloud(study: Study, asked: Asked) -> None:
    """The claim as a question, with what would support it."""
    if not asked.units:
        return
    names = [str(UnitId(study.run.architecture, asked.layer, unit)) for unit in asked.units]
    st.subheader(question(names, asked.concept), anchor=False)
    st.caption(
        f"If the units are necessary, the network should fail on these {asked.n:,} digits when "
        f"each unit's activation is replaced by {IN_WORDS[asked.kind]}, and not when other "
        "units are treated the same way.",
        help=DEFINITIONS["claim"],
    )
    if asked.n < FEWEST:
        st.warning(
            f"Only {asked.n} digits of the confirmation half have this concept; with fewer than "
            f"{FEWEST} nothing can be concluded. Choose a concept that isn't marked as too few."
        )
