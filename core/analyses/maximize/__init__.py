"""Maximized inputs: objective x parameterization x transform, and the loop that climbs.

    found = maximize(model, [UnitId("lenet5", "linear_0", 58)], parameterization="fourier")
    found.images, found.activations

Erhan et al. 2009; Simonyan et al. 2014 (arXiv:1312.6034); Olah, Mordvintsev & Schubert 2017.
"""

from core.analyses.maximize.loop import BUDGETS, Maximized, Settings, maximize
from core.analyses.maximize.objectives import OBJECTIVES, Along, Channel, Neuron, Objective
from core.analyses.maximize.parameterizations import (
    PARAMETERIZATIONS,
    Covariance,
    Fourier,
    Parameterization,
    Pixel,
)

__all__ = [
    "BUDGETS",
    "OBJECTIVES",
    "PARAMETERIZATIONS",
    "Along",
    "Channel",
    "Covariance",
    "Fourier",
    "Maximized",
    "Neuron",
    "Objective",
    "Parameterization",
    "Pixel",
    "Settings",
    "maximize",
]
