"""The parts of the page or section: multitask."""
