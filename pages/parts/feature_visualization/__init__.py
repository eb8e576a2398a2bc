"""The parts of the page or section: feature visualization."""
