"""The sections of the page Architectures, one module for each, and what they share."""
