"""Capsules: routing, and what each dimension of a pose draws."""
