"""Charts and pictures of single architectures: numbers in, nothing of models or the dashboard."""
