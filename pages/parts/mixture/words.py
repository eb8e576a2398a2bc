"""What each number about gates and experts is; every view of the page says the same."""

from __future__ import annotations

__all__ = ["GATES"]

GATES = {
    "load": "f: the share of the digits to which the gate gives this expert its highest weight.",
    "importance": "P: the expert's weight, mean over the digits.",
    "active": (
        "Experts whose load is above 1/(4N), a quarter of an equal share. The others are dead."
    ),
    "balance": "N Σ f P (Fedus et al. 2021): 1 if experts share equally, N if one gets everything.",
    "load variation": (
        "CV² of the load, its variance over its squared mean: 0 if experts share equally, N − 1 if "
        "one gets everything."
    ),
    "importance variation": (
        "CV² of the importance: 0 if experts share equally, N − 1 if one gets everything."
    ),
    "entropy": (
        "Entropy of a digit's weights, H(g | x), mean over digits, in bits: 0 if one expert has "
        "all the weight, log₂ N if all have the same. Always 0 if one expert is run per digit."
    ),
    "entropy of the mean": (
        "Entropy of the mean weights, H(ḡ), in bits: log₂ N if experts share equally, 0 if one "
        "gets everything."
    ),
    "decisions": (
        "H(ḡ) − H(g | x): mutual information of digit and expert. High only if the gate is "
        "decided on each digit and all experts are used."
    ),
    "bits": (
        "Mutual information of a digit's class and its expert, in bits. The class itself has 3.32."
    ),
    "normalized": (
        "Mutual information of a digit's class and its expert, divided by the mean entropy of "
        "both, 0 to 1."
    ),
    "limit": "The 95th percentile of that information when experts are shuffled over the digits.",
}
