"""Mixtures of experts: who takes what, without an expert, through training, and on moved digits."""
