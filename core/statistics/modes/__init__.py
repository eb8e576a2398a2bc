"""How many modes a unit's values have, and whether a test can claim more than one.

No test is enough alone. The dip claims little and is rarely wrong; the critical bandwidth sees
small modes and takes a flat top for two; peaks of a density say where. All three are given, with
what each can't see. Nothing here knows what a unit or a digit is.
"""

from core.statistics.modes.finding import RATE, Modality, Mode, find_modes
from core.statistics.modes.layer import LayerModes, find_layer

__all__ = ["RATE", "LayerModes", "Modality", "Mode", "find_layer", "find_modes"]
