"""Do Ask's verdicts find planted answers? Of 100 claims, half true: AUROC at least .95.

    python -m bench.planted          # 25 networks with a planted answer, five minutes of a core
    python -m bench.planted 1 mnist  # one of each kind, on MNIST where it is

Of each network some claims name what was planted, alone or with other units of its layer, and some
as many units of the same layer without it: the decoy, one of a pair, and others at random. They are
ranked by the loss of accuracy on crossed sevens that Ask reports. Of a rotated layer no claim about
units is true, and the fitted direction is to tell crossed sevens all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from core.activations import collect
from core.analyses.directions.linear import fit_direction
from core.claims import ask, halves
from core.claims.evidence import SUPPORTED
from core.data import DataSet, load
from core.data.concepts import Measured, measure
from core.models.inspectable import Inspectable
from core.models.planted import ANSWERS, CARRIERS, CONCEPT, planted
from core.statistics.ranking import Answers
from core.training import train

SEEDS, LEAST = 5, 0.95
TRUE = {"single": 3, "pair": 2, "decoy": 2, "and": 3, "rotated": 0}  # claims of each network
FALSE = 2
_CONTROLS, _DRAWS = 100, 500
_SEED = 4_000_000  # from here on: no run has these


@dataclass(frozen=True)
class Planned:
    """A claim about units, and whether it is true."""

    units: tuple[tuple[str, int], ...]
    true: bool


@dataclass(frozen=True)
class Asked:
    """A claim, what the network loses without its units on crossed sevens, and the verdict."""

    claim: Planned
    loss: float
    verdict: str


def main() -> int:
    """Print how well true claims are told from false ones; 1 where that is too little."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    source = sys.argv[2] if len(sys.argv) > 2 else "strokes"
    fit, digits = load(source, "fit"), load(source, "test")
    images, labels = digits.images.numpy(), digits.labels.numpy()
    measured = measure(images, labels, [CONCEPT], parts=digits.parts)
    every: list[Asked] = []
    failed = False
    for kind in ANSWERS:
        for number in range(seeds):
            model = train("planted", fit, seed=_SEED + number, settings={"answer": kind})
            found = list(asked(model, planned(model, number), digits, measured))
            every += found
            told = direction(model, digits, measured)
            failed |= kind == "rotated" and told < LEAST
            print(f"{kind}, network {number}: {in_words(found)}; direction AUC {told:.3f}")
    area = auroc(every)
    print(f"{source}: AUROC of {len(every)} claims {area:.3f}, at least {LEAST} is promised")
    return int(failed or area < LEAST)


def planned(model: Inspectable, seed: int = 0) -> list[Planned]:
    """Claims about a network with a planted answer: `TRUE` of its kind, and `FALSE`."""
    answer = planted(model)
    if answer is None:
        raise ValueError(f"nothing is planted in {model.name}: give a network of planted.")
    random = np.random.default_rng(seed)
    known = [(unit.layer, unit.index) for unit in answer.roles]
    needed = {"pair": [known], "and": [[unit] for unit in known]}.get(answer.kind, [known[:1]])
    # alone they are false: nothing reads a decoy, and one of a pair is enough
    apart = {"pair": known[:1], "decoy": known[1:]}.get(answer.kind, [])
    claims = []
    for number in range(TRUE[answer.kind]):
        own = needed[number % len(needed)]
        more = number // len(needed)  # other units beside those that are needed
        claims.append(Planned((*own, *_others(model, own[0][0], more, known, random)), True))
    like = [claim.units for claim in claims] or [((CARRIERS, 0),)] * FALSE
    for number in range(FALSE):
        size, layer = len(like[number]), like[number][0][0]
        own = apart if number == 0 else []
        units = (*own, *_others(model, layer, size - len(own), known, random))
        claims.append(Planned(units, False))
    return claims


def _others(
    model: Inspectable,
    layer: str,
    count: int,
    known: Iterable[tuple[str, int]],
    random: np.random.Generator,
) -> Iterator[tuple[str, int]]:
    """Units of the layer at random, of which none is planted."""
    units = next(of.units for of in model.described if of.name == layer)
    free = [unit for unit in range(units) if (layer, unit) not in set(known)]
    return ((layer, int(unit)) for unit in random.choice(free, count, replace=False))


def asked(
    model: Inspectable, claims: Iterable[Planned], digits: DataSet, measured: Measured
) -> Iterator[Asked]:
    """Each claim with what Ask says of it."""
    for claim in claims:
        evidence = ask(
            model,
            digits,
            claim.units,
            CONCEPT,
            controls=_CONTROLS,
            draws=_DRAWS,
            measured=measured,
            baselines=False,
        )
        found = evidence.findings["necessary"]
        yield Asked(claim, found.value or 0.0, found.verdict)


def direction(model: Inspectable, digits: DataSet, measured: Measured) -> float:
    """How well the direction of the layer tells crossed sevens on confirmation: its AUC."""
    known, judged = halves(digits, CONCEPT, measured)
    values, others = (
        collect(model, half.digits.images, CARRIERS).numpy() for half in (known, judged)
    )
    told = fit_direction(values, known.present).values(others).astype(np.float32)
    return float(Answers.of(told[:, None]).auc(judged.present[:, None])[0, 0])


def auroc(every: Iterable[Asked]) -> float:
    """How well the loss tells true claims from false ones."""
    some = list(every)
    losses = np.array([[each.loss] for each in some], np.float32)
    true = np.array([[each.claim.true] for each in some])
    return float(Answers.of(losses).auc(true)[0, 0])


def in_words(found: Iterable[Asked]) -> str:
    """The losses of true and false claims, and how many are supported."""
    some, parts = list(found), []
    for true in (True, False):
        own = [each for each in some if each.claim.true == true]
        losses = ", ".join(f"{each.loss:+.2f}" for each in own) or "none"
        yes = sum(each.verdict == SUPPORTED for each in own)
        parts.append(f"{'true' if true else 'false'} {losses} ({yes} supported)")
    return "; ".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
