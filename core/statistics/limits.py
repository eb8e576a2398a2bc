"""Limits of what is concluded, fixed before anything was measured."""

from __future__ import annotations

__all__ = ["ALPHA", "AMONG_ALL", "FEWEST", "WITHIN"]

FEWEST = 30  # images, below which nothing is concluded
ALPHA = 0.05  # share of controls, or of null networks, that may do as much
WITHIN, AMONG_ALL = 0.8, 0.9  # AUC of a detector: within a class, and among all images
