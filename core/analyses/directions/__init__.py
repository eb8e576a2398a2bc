"""Directions of a layer: fitted, compared with its units and with rotated axes, and erased."""
