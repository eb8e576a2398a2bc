"""How often each kind of verdict says yes of networks that can't know: at most 5 % may be.

    python -m bench.salmon            # 100 null networks, 8 concepts, half an hour of a core
    python -m bench.salmon 10 mnist   # fewer networks, on MNIST where it is

Four of five networks are untrained, every fifth was trained on labels that were shuffled once. Of
each the best unit of `linear_0` is chosen for the concept on the discovery half, and asked about by
the rules of any claim; and what carries the concept in the layer is told. Twenty other untrained
networks are those that a verdict has to beat (after Bennett et al. 2009, who found significant
activity in a dead salmon).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from core.claims import ask, halves
from core.claims.baselines import untrained_scores
from core.claims.carrier import Found, carrier_of, find
from core.claims.carrying import reading
from core.claims.evidence import QUESTIONS, SUPPORTED
from core.claims.findings import A_DIRECTION, A_UNIT
from core.claims.nulls.scores import NullScores, best_units
from core.claims.nulls.task import shuffled_labels
from core.claims.trial import Claim, Half
from core.data import DataSet, load
from core.data.concepts import CONCEPTS, Measured, measure
from core.models.registry import draw
from core.models.untrained import untrained_networks
from core.statistics import wilson_interval
from core.training import train

NETWORKS, LAYER = 100, "linear_0"
ASKED = (
    "crossed-7", "hooked-7", "looped-2", "closed-4", "class-0", "class-4", "class-7", "class-8"
)  # fmt: skip
_SEEDS = 3_000_000  # from here on: no run and no untrained network of a comparison has these
_DIGITS, _FIT = 4000, 5000  # of test digits, and of those that are learned with shuffled labels
_ROTATIONS, _CONTROLS, _DRAWS = 100, 100, 500
_ALPHA = 0.05


@dataclass(frozen=True)
class Question:
    """A concept, its digits, and what untrained networks have of it."""

    concept: str
    digits: DataSet
    measured: Measured
    both: tuple[Half, Half]
    scores: NullScores
    found: tuple[Found, ...]


def main() -> int:
    """Print how often each kind of verdict says yes; 1 where one does in more than 5 %."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NETWORKS
    source = sys.argv[2] if len(sys.argv) > 2 else "strokes"
    digits = load(source, "test").take(slice(_DIGITS))
    images, labels = digits.images.numpy(), digits.labels.numpy()
    measured = measure(images, labels, list(ASKED), parts=digits.parts)
    questions = [_question(concept, digits, measured) for concept in ASKED]
    yes: Counter[tuple[str, str]] = Counter()
    for number, network in enumerate(_networks(count, load(source, "fit").take(slice(_FIT)))):
        for question in questions:
            yes.update((question.concept, kind) for kind in _said(network, question))
        print(f"\r{number + 1} of {count} networks", end="", file=sys.stderr)
    return _report(yes, count, source)


def _networks(count: int, fit: DataSet) -> Iterator[nn.Module]:
    """The null networks."""
    for number in range(count):
        seed = _SEEDS + number
        if number % 5:
            yield draw("lenet5", seed).eval()
        else:
            yield train("lenet5", shuffled_labels(fit, seed), seed=seed, epochs=2)


def _question(concept: str, digits: DataSet, measured: Measured) -> Question:
    """What has to be known once of a concept."""
    both = halves(digits, concept, measured)
    claim = Claim(LAYER, (0,), concept, CONCEPTS[concept].label, "zero", 0, 1, 0)
    model = draw("lenet5", 0)
    scores = untrained_scores(model, claim, both, lambda done, text: None)
    found = [
        find(*(reading(network, half, LAYER) for half in both), rotations=2)
        for network in untrained_networks(model)
    ]
    return Question(concept, digits, measured, both, scores, tuple(found))


def _said(network: nn.Module, of: Question) -> list[str]:
    """The kinds of verdict that say yes."""
    (unit,) = best_units(network, of.both[0], LAYER, 1)
    evidence = ask(
        network,
        of.digits,
        [(LAYER, unit)],
        of.concept,
        controls=_CONTROLS,
        draws=_DRAWS,
        measured=of.measured,
        baselines=False,
        untrained=of.scores,
    )
    known, judged = (reading(network, half, LAYER) for half in of.both)
    carrier = carrier_of(known, judged, of.found, rotations=_ROTATIONS)
    yes = [name for name, verdict in evidence.verdicts.items() if verdict == SUPPORTED]
    return yes + ([carrier.verdict] if carrier.verdict in (A_UNIT, A_DIRECTION) else [])


def _report(yes: Counter[tuple[str, str]], count: int, source: str) -> int:
    """Print the table; 1 where a kind of verdict says yes too often."""
    kinds = (*QUESTIONS, A_UNIT, A_DIRECTION)
    print(f"\n{count} null networks, {source}, {LAYER}: how many say yes")
    print(f"{'':12}" + "".join(f"{kind:>22}" for kind in kinds))
    for concept in ASKED:
        print(f"{concept:12}" + "".join(f"{yes[concept, kind]:22}" for kind in kinds))
    tried, broken = count * len(ASKED), 0
    for kind in kinds:
        total = sum(yes[concept, kind] for concept in ASKED)
        low, high = wilson_interval(total, tried)
        kept = total <= _ALPHA * tried
        broken += not kept
        print(
            f"{kind:22} {total:4} of {tried} ({total / tried:.1%}, 95 % interval {low:.1%} to "
            f"{high:.1%})  at most 5 %: {'kept' if kept else 'BROKEN'}"
        )
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
