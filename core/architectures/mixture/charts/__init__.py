"""Charts of gates: who takes what, how decided, without an expert, through training."""
