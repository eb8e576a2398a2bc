"""Self-organizing maps: how they grow and how well they keep neighbours."""
