"""What each number on the screen is: its definition, unit and source, shown behind its name."""

from __future__ import annotations

__all__ = ["DEFINITIONS", "NAMES"]

NAMES = {
    "selectivity": "Selectivity",
    "selectivity_discovery": "Selectivity, discovery",
    "auc": "AUC",
    "d_prime": "d′",
    "information": "Information",
    "fraction_active": "Active",
    "top_class": "Top class",
    "maximum": "Maximum",
    "sparseness": "Sparseness",
    "effective_classes": "Effective classes",
}

DEFINITIONS = {
    "selectivity": (
        "Class selectivity index: (mean on the top class − mean on the others) / (their sum), of "
        "activations after the ReLU. 1: active on its class alone. 0: alike on all. The top class "
        "is chosen on one half of the test digits, the number is measured on the other half, so "
        "chance can make it negative (Morcos et al. 2018)."
    ),
    "selectivity_discovery": (
        "The selectivity index on the half of the test digits on which top classes are chosen: "
        "choose units by this one, and read the other."
    ),
    "auc": (
        "Area under the ROC curve: how often a digit of the top class activates the unit more than "
        "a digit of another class, ties counting half. 0.5 is chance, 1 is perfect."
    ),
    "d_prime": (
        "Distance of the means on the top class and on the others, in units of their common "
        "standard deviation, √((σ₁² + σ₀²)/2)."
    ),
    "information": (
        "Mutual information of activation and class in bits: equal-frequency bins, exact zeros in "
        "a bin of their own, Miller–Madow corrected. A perfect detector of one class in ten has "
        "0.47 bit; knowing the class is worth 3.32 bit."
    ),
    "fraction_active": "Share of the digits on which the unit is above zero, at any position.",
    "top_class": "The class with the largest mean activation, chosen on the discovery digits.",
    "maximum": "The largest activation on any test digit, before the ReLU.",
    "sparseness": (
        "Lifetime sparseness: 0 when a unit answers every digit alike, 1 when it answers a single "
        "one (Vinje & Gallant 2000)."
    ),
    "effective_classes": (
        "exp of the entropy of the class means as shares: 1 when one class has all of the "
        "activation, 10 when all ten have equal parts."
    ),
    "dead": "Never above zero on any test digit: its activation after the ReLU is always 0.",
    "dormant": (
        "Mean activation at most 2.5 % of its layer's average unit (Sokar et al. 2023), not dead."
    ),
    "always_on": "Above zero on every test digit: its ReLU does nothing, the unit is linear.",
    "saturated": (
        "For bounded nonlinearities: in the outer 1 % of their range on 95 % of the digits. A ReLU "
        "has no upper bound, so no unit of these models can be."
    ),
    "constant": "Its standard deviation over the test digits is below 0.000001.",
    "untrained": (
        "The same unit of the network before training, same seed, same procedure. What an "
        "untrained unit has was not learned."
    ),
    "permuted": (
        "The same unit with the digits' labels shuffled, same procedure, 95 % quantile of the "
        "shuffles. What shuffled labels give is chance."
    ),
    "share": (
        "Activation of the unit on its maximized image over its largest activation on a real test "
        "digit. Above 100 %, the image drives the unit harder than any digit does."
    ),
}
