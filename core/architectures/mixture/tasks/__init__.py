"""Mixtures of experts: who takes what, without an expert, through training, and on moved digits."""

from __future__ import annotations

from core.architectures.mixture.tasks.assignment import Taken, Taking, gated

__all__ = ["Taken", "Taking", "gated"]
