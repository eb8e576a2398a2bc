"""How many modes the units of a layer have, and who lives in each."""
