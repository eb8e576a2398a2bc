"""The tasks behind the page Architectures, one module for each architecture."""
