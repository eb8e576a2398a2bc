"""Directions of a layer: fitted, described, and compared with its units and rotated axes."""
