"""`python -m core.statistics.modes.calibration dip [draws]`, then `critical`: the tables of chance.

They are computed once, in minutes, and shipped as `uniform.json` and `smooth.json` beside this
file; the tests read their p-values from them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.json_text import dumps
from core.statistics.modes import silverman
from core.statistics.modes.dip import SIZES, TAILS, uniform_dips

Numbers = NDArray[np.float64]
Law = Callable[[np.random.Generator, tuple[int, int]], Numbers]

# Laws with one peak and tails of every weight; the flat uniform law, which has none, is left out.
PEAKED: dict[str, Law] = {
    "Gaussian": lambda random, size: random.standard_normal(size),
    "exponential": lambda random, size: random.standard_exponential(size),
    "t3": lambda random, size: random.standard_t(3, size),
    "lognormal": lambda random, size: random.lognormal(size=size),
}
DRAWS = {"dip": 20_000, "critical": 400}
FILES = {"dip": "uniform.json", "critical": "smooth.json"}


def dip_table(draws: int, seed: int = 0) -> dict[str, object]:
    """For each size the √n · dip that each of `TAILS` of uniform samples exceeds."""
    levels = 1 - np.array(TAILS)
    found = [np.quantile(uniform_dips(n, draws, seed), levels).round(5) for n in SIZES]
    return {"sizes": SIZES, "draws": draws, "quantiles": [of.tolist() for of in found]}


def critical_table(draws: int, seed: int = 0) -> dict[str, object]:
    """For each size and share: how often chance has as low a share, in the worst law.

    The share is that of `silverman.Critical`, of samples that are as smooth as they must be.
    """
    chances = []
    for n in silverman.SIZES:
        random = np.random.default_rng([seed, n])
        by_law = []
        for law in PEAKED.values():
            found = silverman.critical_bandwidths(law(random, (n, draws)), random).shares
            by_law.append([(found <= share).sum() / draws for share in silverman.SHARES])
        chances.append(np.max(by_law, axis=0).round(5).tolist())
    return {"sizes": silverman.SIZES, "draws": draws, "chances": chances}


def main() -> None:
    """Write the table that the command names."""
    name = sys.argv[1]
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else DRAWS[name]
    table = {"dip": dip_table, "critical": critical_table}[name](draws)
    path = Path(__file__).with_name(FILES[name])
    path.write_text(dumps(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
