"""What the units of a small network do, asked and answered: models, measurements, evidence.

Nothing here but `core.runtime.cache` knows of the dashboard, so a notebook can use all the rest.
"""
