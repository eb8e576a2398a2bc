"""Modes: how often each test is right and wrong, and the speed of densities and of a whole layer.

`python -m bench.modality [draws]` prints, for laws with one mode and with two, as they are and
rounded to a tenth, how often each test says "more than one mode", then the speeds; it ends with 1
when a promise is broken. The dip makes claims: at most .05 on laws with one mode. The critical
bandwidth is the sensitive test, and its own false alarms are printed beside its power.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from bench.ratio import Row, ratio
from core.activations import collect
from core.data import load, mnist
from core.models.registry import build
from core.statistics.modes import find_layer, find_modes
from core.statistics.modes.density import bandwidth, densities
from core.statistics.modes.describing import THRESHOLD, bic_gain

Numbers = NDArray[np.float64]
Law = Callable[[np.random.Generator, int], Numbers]

_N, _DRAWS = 1000, 200
_POINTS, _DIGITS = 1000, 10_000
_FASTER, _CLOSE, _SECONDS = 100.0, 0.01, 10.0
_ALPHA, _POWER = 0.05, 0.95
_FEW = 6  # units on which scipy is timed


def mixture(share: float, apart: float) -> Law:
    """Two Gaussians of the same width, the upper one with `share` of the values."""

    def draw(random: np.random.Generator, n: int) -> Numbers:
        upper = random.random(n) < share
        return np.asarray(random.standard_normal(n) + apart * upper)

    return draw


def rectified(random: np.random.Generator, n: int) -> Numbers:
    """A Gaussian around −1 behind a ReLU; 84 % are exactly 0."""
    return np.maximum(random.standard_normal(n) - 1, 0)


ONE: dict[str, Law] = {
    "uniform": lambda random, n: random.random(n) * 4,
    "Gaussian": lambda random, n: random.standard_normal(n),
    "exponential": lambda random, n: random.standard_exponential(n),
    "t3": lambda random, n: random.standard_t(3, n),
    "lognormal": lambda random, n: random.lognormal(size=n),
    "ReLU(N(-1, 1))": rectified,
    "50/50, 2 sd": mixture(0.5, 2),
}
TWO: dict[str, Law] = {
    "50/50, 3 sd": mixture(0.5, 3),
    "50/50, 4 sd": mixture(0.5, 4),
    "13 %, 3 sd": mixture(0.13, 3),
    "13 %, 4 sd": mixture(0.13, 4),
    "13 %, 5 sd": mixture(0.13, 5),
    "20 %, 4 sd": mixture(0.2, 4),
}
TESTS = ("dip", "critical", "modes", "BC", "BIC")


def said(law: Law, draws: int, *, rounded: bool, seed: int = 0) -> Numbers:
    """(tests,): how often each of `TESTS` says more than one mode of samples of the law."""
    found = []
    for draw in range(draws):
        x = law(np.random.default_rng([seed, draw]), _N)
        of = find_modes(x.round(1) if rounded else x, seed=draw)
        tested = of.state == "tested"
        verdicts = (of.p_value < _ALPHA, of.sensitive_p < _ALPHA, of.n_modes > 1)
        two = tested and bic_gain(of.few) > 10
        found.append((*verdicts, tested and of.bimodality > THRESHOLD, two))
    return np.mean(found, axis=0)


def table(draws: int) -> dict[tuple[str, bool], Numbers]:
    """`said` of every law, as it is and rounded, printed line by line."""
    _line(f"share of {draws} samples of {_N} said to have more than one mode")
    _line(f"{'law':26}" + "".join(f"{name:>10}" for name in TESTS))
    found = {}
    for rounded in (False, True):
        for name, law in {**ONE, **TWO}.items():
            shares = found[name, rounded] = said(law, draws, rounded=rounded)
            line = f"{name + ', rounded' * rounded:26}"
            _line(line + "".join(f"{share:10.3f}" for share in shares))
    return found


def _line(text: str) -> None:
    """Print a line now, for the table takes minutes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def kept(found: dict[tuple[str, bool], Numbers], draws: int) -> list[Row]:
    """The promises of the table, each at its worst law; two standard errors are granted."""
    slack = 2 * np.sqrt(_ALPHA * (1 - _ALPHA) / draws)
    rows = []
    for rounded in (False, True):
        how = "rounded to 0.1" if rounded else "as they are"
        wrong = max(float(found[name, rounded][0]) for name in ONE)
        right = float(found["50/50, 4 sd", rounded][0])
        small = float(found["13 %, 4 sd", rounded][1])
        limit = f"at most {_ALPHA}"
        rows += [
            Row(f"dip, one mode, worst law, {how}", wrong, limit, wrong <= _ALPHA + slack),
            Row(f"dip, 50/50 at 4 sd, {how}", right, f"at least {_POWER}", right >= _POWER),
            Row(f"critical bandwidth, 13 % at 4 sd, {how}", small, "aim .90", True),
        ]
    return rows


def activations() -> Numbers:
    """(10,000, 120): linear_0 of a LeNet-5; weights don't matter for the speed."""
    digits = load("mnist" if mnist.present() else "strokes", "test").images[:_DIGITS]
    return collect(build("lenet5"), digits, "linear_0").double().numpy()


def measure(rounds: int) -> list[Row]:
    """Densities of all units against scipy's, and how long the whole layer takes with its tests."""
    values = activations()
    units = values.shape[1]
    widths = np.array([bandwidth(of) for of in values.T])
    grids, heights = densities(values, widths, points=_POINTS)
    shown = np.linspace(0, units - 1, _FEW).astype(int)

    def scipys(unit: int) -> Numbers:
        x = values[:, unit]
        return np.asarray(gaussian_kde(x, widths[unit] / x.std(ddof=1))(grids[unit]))

    worst = max(
        float(np.abs(scipys(unit) - heights[unit]).max() / heights[unit].max()) for unit in shown
    )
    # scipy's is timed on a few units, ours on all: so its time stands for a part of the layer
    theirs = 1 / ratio(
        lambda: densities(values, widths, points=_POINTS),
        lambda: [scipys(int(unit)) for unit in shown],
        rounds,
    )
    faster = theirs * units / len(shown)
    start = perf_counter()
    find_layer(values)
    seconds = perf_counter() - start
    what = f"densities of {units} units, {len(values):,} digits, {_POINTS:,} points"
    return [
        Row(f"{what}: scipy / ours", faster, f"at least {_FASTER:.0f}", faster >= _FASTER),
        Row("largest difference / peak", worst, f"below {_CLOSE}", worst < _CLOSE),
        Row(f"{units} units with both tests, seconds", seconds, "a few", seconds < _SECONDS),
    ]


def main() -> int:
    """Print both tables; 1 when a promise is broken."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else _DRAWS
    torch.set_num_threads(1)
    found = table(draws)
    rows = [*kept(found, draws), *measure(5)]
    for row in rows:
        verdict = "kept" if row.kept else "BROKEN"
        sys.stdout.write(f"{row.what:64}  {row.value:8.3f}  {row.promise:14}  {verdict}\n")
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
