"""Radial basis functions: centres and their width."""
