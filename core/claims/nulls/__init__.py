"""What a claim scores in networks that can't know the answer: a verdict has to beat these.

Untrained networks, and networks that were trained on shuffled labels (Adebayo et al. 2018). The
procedure is the same: the best units of the layer are chosen on the discovery half and scored on
the confirmation half, so what luck and the choice among many units give is in the null's score too
(Bennett et al. 2009 found significant activity in a dead salmon where it wasn't).
"""
