"""The views of the page on mixtures of experts."""
