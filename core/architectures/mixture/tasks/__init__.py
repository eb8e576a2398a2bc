"""Mixtures of experts: who takes what, without an expert, through training, and on moved digits."""

from __future__ import annotations

from core.architectures.mixture.tasks.assignment import GateAssignment, GateAssignmentTask, gated

__all__ = ["GateAssignment", "GateAssignmentTask", "gated"]
