"""Numbers -> charts. Pandas in, Altair out; neither models nor the dashboard are known here.

Colours say the same everywhere: blue is this model, grey its controls.
"""

from core.charts.claims import (
    beside_controls,
    changes,
    contributions,
    losses_by_operator,
    removal_curves,
)
from core.charts.units import (
    beside_baselines,
    class_profile,
    climb,
    comparison,
    concept_counts,
    differences,
    emergence,
    exact_zeros,
    histogram,
    learning,
)

__all__ = [
    "beside_baselines",
    "beside_controls",
    "changes",
    "class_profile",
    "climb",
    "comparison",
    "concept_counts",
    "contributions",
    "differences",
    "emergence",
    "exact_zeros",
    "histogram",
    "learning",
    "losses_by_operator",
    "removal_curves",
]
