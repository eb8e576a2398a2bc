"""Maximized inputs, under a short name for notebooks: see `core.analyses.maximize`."""

from core.analyses.maximize import (
    BUDGETS,
    OBJECTIVES,
    PARAMETERIZATIONS,
    Channel,
    Covariance,
    Fourier,
    Maximized,
    Neuron,
    Objective,
    Parameterization,
    Pixel,
    Settings,
    maximize,
)

__all__ = [
    "BUDGETS",
    "OBJECTIVES",
    "PARAMETERIZATIONS",
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
