"""How results are computed once, kept, and found again."""
