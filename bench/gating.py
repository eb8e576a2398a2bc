"""Mixtures of experts: what running one expert of eight saves, and how sure collapse is.

    python -m bench.gating          # time of top-1 over that of the dense gate
    python -m bench.gating seeds    # five seeds with balancing, and five of top-1 without

The wider the experts, the more is saved: the gate reads every image either way, and the images that
an expert sees are gathered for it. So half of the time is an aim for the narrow experts of the
dashboard, and a promise from twice their width up. Weights don't matter for the speed, but how the
gate shares the digits out does: its weights are drawn so that experts are about equally busy. The
seeds are trained on MNIST as the dashboard trains them, which takes minutes; nothing is taken from
the store.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from bench.ratio import Row, ratio
from core.architectures.mixture import read_gates, report_of
from core.data import cut, load, mnist
from core.models.mixture import Mixture, MixtureSettings
from core.runtime.cache import THREADS
from core.training import accuracy, train

DENSE, ONE, ALONE = "", "chosen=1", "chosen=1,balance=0"  # settings
SEEDS = 5
_DIGITS, _BATCH = 10_000, 500  # the second: images at once where the dashboard reads a layer
_WIDTHS = (32, 64, 128)  # hidden units of an expert; the dashboard's have the first
_MOST = 0.5
_LEAST = {DENSE: 0.965, ONE: 0.955, ALONE: 0.945}  # accuracy of every seed


def measure(rounds: int) -> list[Row]:
    """The time of top-1 over that of the dense gate, by width of the experts."""
    source = "mnist" if mnist.present() else "strokes"
    images = load(source, "test").images[:_DIGITS]
    what = f"top-1 / all of 8 experts, {len(images):,} digits"
    rows = []
    for width in _WIDTHS:
        whole = _compared(images, width, len(images), rounds)
        narrow = width == _WIDTHS[0]
        promise = f"{'aim' if narrow else 'at most'} {_MOST:.2f}"
        rows.append(Row(f"{what}, width {width}", whole, promise, narrow or whole <= _MOST))
    split = _compared(images, _WIDTHS[0], _BATCH, rounds)
    rows.append(Row(f"{what}, width {_WIDTHS[0]}, {_BATCH} at a time", split, "none", True))
    return rows


def _compared(images: Tensor, width: int, batch: int, rounds: int) -> float:
    """The time of top-1 over that of the dense gate, `batch` images at once."""
    parts = images.split(batch)
    dense, one = (_balanced(MixtureSettings(width=width, chosen=k), images) for k in (0, 1))
    with torch.no_grad():
        return ratio(lambda: [one(p) for p in parts], lambda: [dense(p) for p in parts], rounds)


def _balanced(settings: MixtureSettings, images: Tensor) -> Mixture:
    """An untrained mixture whose gate shares the images out about evenly."""
    torch.manual_seed(0)
    model = Mixture(settings).eval().requires_grad_(False)
    scores = model.of_image(images.flatten(1))
    model.of_image.weight.div_(scores.std(0)[:, None])
    model.of_image.bias.copy_(-(scores.mean(0) - model.of_image.bias) / scores.std(0))
    return model


def seeds() -> list[Row]:
    """Five seeds of each: accuracy, experts at work, and what they tell of the class, printed."""
    every = load("mnist", "train")
    fit, watch, test = cut(every, "fit"), cut(every, "selection"), load("mnist", "test")
    _line(
        f"{'mixture':>18}{'seed':>6}{'accuracy':>10}{'active':>8}{'NMI':>7}{'bits':>7}{'limit':>7}"
    )
    reports: dict[str, list[tuple[float, int]]] = {}
    for name in (DENSE, ONE, ALONE):
        for seed in range(SEEDS):
            settings = MixtureSettings.from_text(name)
            model = train("mixture", fit, seed=seed, settings=settings, watch=watch)
            right, labels = accuracy(model, test), test.labels.numpy()
            of = report_of(read_gates(model, test), labels, seed=seed)
            told = of.class_information
            reports.setdefault(name, []).append((right, of.active))
            numbers = f"{told.normalized:7.3f}{told.bits:7.3f}{told.limit:7.3f}"
            _line(f"{name or 'default':>18}{seed:6}{right:10.4f}{of.active:8}{numbers}")
    rows = []
    for name, wanted in ((DENSE, 8), (ONE, 8), (ALONE, 1)):
        good = sum(active == wanted for _, active in reports[name])
        worst, least = min(right for right, _ in reports[name]), _LEAST[name]
        what = f"mixture {name}: seeds of {SEEDS} with {wanted} of 8 at work"
        rows.append(Row(what, good, f"all {SEEDS}", good == SEEDS))
        rows.append(
            Row(f"mixture {name}: worst accuracy", worst, f"at least {least}", worst >= least)
        )
    return rows


def _line(text: str) -> None:
    """Print a line now, for a table that takes minutes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Print what was asked for; 1 when a promise is broken."""
    torch.set_num_threads(THREADS)
    rows = seeds() if sys.argv[1:] == ["seeds"] else measure(21)
    for row in rows:
        verdict = "kept" if row.kept else "BROKEN"
        _line(f"{row.what:64}  {row.value:8.3f}  {row.promise:14}  {verdict}")
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
