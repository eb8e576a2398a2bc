"""Self-attention: what heads look at and what they are needed for."""
