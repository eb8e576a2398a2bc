"""Modes of a unit's values, under a short name for notebooks: see `core.statistics.modes`."""

from core.statistics.modes import RATE, LayerModes, Modality, Mode, find_layer, find_modes

__all__ = ["RATE", "LayerModes", "Modality", "Mode", "find_layer", "find_modes"]
