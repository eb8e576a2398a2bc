"""Mixtures of experts: what running one expert of eight saves, and how sure collapse is.

    python -m bench.gating          # time of top-1 over that of the dense gate
    python -m bench.gating seeds    # five seeds with balancing, and five of top-1 without

The promise is for one core: with two, threads that wait for one another cost top-1, which has many
small products, more than the dense gate's few large ones; both are printed. Weights don't matter
for the speed, but how the gate shares the digits out does: its weights are
drawn so that experts are about equally busy. The seeds are trained on MNIST as the dashboard trains
them, which takes minutes; nothing is taken from the store.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from bench.ratio import Row, ratio
from core.cache import THREADS
from core.digits import cut, load_digits, mnist
from core.gating import read_gates, report_of
from core.models.mixture import Mixture
from core.models.registry import build
from core.training import accuracy, train

DENSE, ONE, ALONE = "mixture", "mixture_n8_k1_a10", "mixture_n8_k1_a0"
SEEDS = 5
_DIGITS, _BATCH = 10_000, 500  # the second: images at once where the dashboard reads a layer
_MOST = 0.5
_LEAST = {DENSE: 0.965, ONE: 0.955, ALONE: 0.945}  # accuracy of every seed


def measure(rounds: int) -> list[Row]:
    """The time of top-1 over that of the dense gate, by threads, all at once and in batches."""
    source = "mnist" if mnist.present() else "strokes"
    images = load_digits(source, "test").images[:_DIGITS]
    dense, one = _balanced(DENSE, images), _balanced(ONE, images)
    rows, before = [], torch.get_num_threads()
    for threads in sorted({1, THREADS}):
        torch.set_num_threads(threads)
        with torch.no_grad():
            whole = ratio(lambda: one(images), lambda: dense(images), rounds)
            parts = images.split(_BATCH)
            split = ratio(lambda: list(map(one, parts)), lambda: list(map(dense, parts)), rounds)
        what = f"top-1 / all of 8 experts, {len(images):,} digits, {threads} threads"
        promise = f"at most {_MOST:.2f}" if threads == 1 else "none"
        rows.append(Row(what, whole, promise, whole <= _MOST or threads > 1))
        rows.append(Row(f"{what}, {_BATCH} at a time", split, "none", True))
    torch.set_num_threads(before)
    return rows


def _balanced(name: str, images: Tensor) -> Mixture:
    """An untrained mixture whose gate shares the images out about evenly."""
    model = build(name).eval().requires_grad_(False)
    if not isinstance(model, Mixture):
        raise TypeError(f"{name} is no mixture of one layer: choose one that is.")
    scores = model.of_image(images.flatten(1))
    model.of_image.weight.div_(scores.std(0)[:, None])
    model.of_image.bias.copy_(-(scores.mean(0) - model.of_image.bias) / scores.std(0))
    return model


def seeds() -> list[Row]:
    """Five seeds of each: accuracy, experts at work, and what they tell of the class, printed."""
    every = load_digits("mnist", "train")
    fit, watch, test = cut(every, "fit"), cut(every, "selection"), load_digits("mnist", "test")
    _line(f"{'model':>18}{'seed':>6}{'accuracy':>10}{'active':>8}{'NMI':>7}{'bits':>7}{'limit':>7}")
    reports: dict[str, list[tuple[float, int]]] = {}
    for name in (DENSE, ONE, ALONE):
        for seed in range(SEEDS):
            model = train(name, fit, seed=seed, watch=watch)
            right, labels = accuracy(model, test), test.labels.numpy()
            of = report_of(read_gates(model, test), labels, seed=seed)
            told = of.class_information
            reports.setdefault(name, []).append((right, of.active))
            numbers = f"{told.normalized:7.3f}{told.bits:7.3f}{told.limit:7.3f}"
            _line(f"{name:>18}{seed:6}{right:10.4f}{of.active:8}{numbers}")
    rows = []
    for name, wanted in ((DENSE, 8), (ONE, 8), (ALONE, 1)):
        good = sum(active == wanted for _, active in reports[name])
        worst, least = min(right for right, _ in reports[name]), _LEAST[name]
        what = f"{name}: seeds of {SEEDS} with {wanted} of 8 at work"
        rows.append(Row(what, good, f"all {SEEDS}", good == SEEDS))
        rows.append(Row(f"{name}: worst accuracy", worst, f"at least {least}", worst >= least))
    return rows


def _line(text: str) -> None:
    """Print a line now, for a table that takes minutes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Print what was asked for; 1 when a promise is broken."""
    torch.set_num_threads(THREADS)
    rows = seeds() if sys.argv[1:] == ["seeds"] else measure(31)
    for row in rows:
        verdict = "kept" if row.kept else "BROKEN"
        _line(f"{row.what:64}  {row.value:8.3f}  {row.promise:14}  {verdict}")
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
