"""The parts that pages are built from: components drawn in the browser, with their Python side."""
