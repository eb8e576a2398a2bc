"""What is special to one architecture, measured: one module for each, on any of its models."""
