"""One claim in many trainings, and under every way in which it could have been tested.

A claim about a network may be an accident of one training, and a verdict one of how it was tested.
So the best units of each of several trainings are asked about, with each operator, number of units,
half and threshold (a specification curve: Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour
4), and the loss has an interval over trainings and digits at once.
"""
