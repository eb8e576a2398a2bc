"""What carries a concept in a layer, in a sentence with its numbers."""

from __future__ import annotations

import numpy as np

from core.claims.carrier import ROTATIONS, Carrier
from core.claims.carrier_task import CarrierTask
from core.claims.findings import A_DIRECTION, A_UNIT
from core.data.concepts import CONCEPTS
from core.statistics.limits import FEWEST
from core.units import UnitId

__all__ = ["ABOUT", "best_unit", "sentence"]

ABOUT = (
    f"The best unit, the best axis of each of {ROTATIONS} random rotations of the layer, and a "
    "fitted direction (L2-regularized logistic regression) are chosen on the discovery half and "
    "judged on the confirmation half by AUC, before the nonlinearity; of a class's variant, among "
    "the digits of the class. A unit: better than the best axis of 95 % of rotations on the same "
    "digits (the 95 % bootstrap interval of the difference lies above 0), and than the best unit "
    "of 95 % of untrained networks, on the same digits too. A direction: the fitted direction is, "
    "and no unit is."
)
_SAY = {
    A_UNIT: "**Carried by a unit.**",
    A_DIRECTION: "**Carried by a direction, not by a unit.**",
}


def best_unit(found: Carrier, task: CarrierTask) -> UnitId:
    """The unit of the layer that tells the concept best."""
    return UnitId(task.run.architecture, task.layer, found.trained.unit.index)


def sentence(found: Carrier, task: CarrierTask) -> str:
    """The verdict with its numbers, as Markdown."""
    of, concept = found.trained, CONCEPTS[task.concept].text
    if min(of.n, of.absent) < FEWEST:
        return (
            f"**Too few digits**: {of.n} with the concept and {of.absent} without it; at least "
            f"{FEWEST} of each are needed."
        )
    said = _SAY.get(found.verdict) or _neither(found)
    before = [each.direction_auc for each in found.untrained]
    return (
        f"{said} “{concept}” in {task.layer}: the best unit is {best_unit(found, task)}, AUC "
        f"{of.unit.judged:.3f}; the best axis of random rotations of the layer reaches "
        f"{np.median(of.axes):.3f} in the median and {of.limit:.3f} at the 95th percentile; the "
        f"fitted direction {of.direction_auc:.3f}, in untrained networks {min(before):.3f} to "
        f"{max(before):.3f}."
    )


def _neither(found: Carrier) -> str:
    """Why it is neither."""
    if found.direction_stands_out:
        return "**Neither: a direction separates it, but as well before training.**"
    if found.unit_stands_out:
        return "**Neither: a unit separates it, but as well before training.**"
    return "**Neither a unit nor a direction stands out.**"
