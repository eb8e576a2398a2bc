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
    "iou": "IoU",
    "found": "IoU, chosen on",
    "low": "from",
    "high": "to",
    "null": "Shuffled",
    "ceiling": "Ceiling",
    "of_ceiling": "of ceiling",
    "q_value": "q",
    "margin": "Margin",
    "matched": "IoU at its size",
    "auc_low": "AUC from",
    "auc_high": "AUC to",
    "auc_within": "AUC in class",
    "precision": "Average precision",
    "base": "chance",
    "correlation": "Correlation",
    "mixed": "among top images",
    "balanced": "Balanced accuracy",
    "coverage": "Coverage",
    "wanted": "Wanted on",
    "mean_z": "Mean there",
    "on": "On for",
    "gradient_now": "Gradient",
    "effective": "Effective digits",
    "part": "Part it tells",
    "part_auc": "its AUC",
    "within": "AUC in class",
    "everywhere": "AUC of all",
    "loss": "Loss without it",
    "best_p": "p, best of layer",
    "necessary": "Necessary",
    "sufficient": "Sufficient",
    "conditional detector": "Conditional detector",
    "global detector": "Global detector",
    "erasable": "Erasable with few units",
    "second iou": "its IoU",
    "third iou": "IoU of third",
}

DEFINITIONS = {
    "anomaly": (
        "The class with the unit's largest running gradient (decay 0.97 a batch) is one on which "
        "its mean activation before the ReLU is negative."
    ),
    "wanted": "The class on which training wants the unit highest, by its running gradient.",
    "mean_z": "Mean activation before the ReLU on that class, discovery half.",
    "on": "Share of the class's digits on which the unit is above zero.",
    "gradient_now": (
        "Running gradient for the class at the end of training, g ← 0.97 g − Σ ∂ℓ/∂b a batch."
    ),
    "effective": (
        "How many digits the gradient of the unit comes from, (Σ|g|)² / Σg² over training digits "
        "of the class: a network that classifies well has gradients from its few hard ones."
    ),
    "part": "The concept within the class that the activation tells best on the discovery half.",
    "part_auc": "Its area under the ROC curve on the confirmation half; 0.5 is chance.",
    "mean images": (
        "Σ w x / Σ w over digits of the class: w = 1, w = max(z, 0), and w = max(−∂ℓ/∂b, 0)."
    ),
    "gradient row": (
        "Gradient row: G ← 0.97 G − Σ ∂ℓ/∂b · (x − ½) ⊙ |∂ℓ/∂x| over the digits x of a class in "
        "each batch (Bau 2016): what a digit that wants the unit higher looks like. Mid-grey is 0, "
        "black 5 standard deviations of the whole film; what exceeds it is cut off."
    ),
    "activation row": (
        "Activation row: A = Σ z (x − ½) over the digits of a class, z before the ReLU; rectified: "
        "max(z, 0) in its place. Class sums, as in 2016, so a frequent class weighs more."
    ),
    "claim": (
        "The rules were fixed before any claim was tested. Means, scales and the strength of "
        "controls come from the discovery half of the test digits, effects from the confirmation "
        "half. Nothing is concluded on fewer than 30 digits."
    ),
    "necessary": (
        "Supported when removing the units costs the concept's digits more than 10 points of "
        "accuracy (the whole 95 % interval), and more log-likelihood than 95 % of the control sets "
        "cost. Not supported when the interval excludes 10 points, or control sets cost as much. "
        "Otherwise inconclusive."
    ),
    "sufficient": (
        "All other units of the layer are removed. Supported when the network still tells the "
        "concept's digits from those of other classes at least 75 % as well as before (the whole "
        "95 % interval), and better than 95 % of the control sets do alone. Telling is how much "
        "more often the class is said of its digits than of others (Youden's J)."
    ),
    "conditional detector": (
        "Whether the units tell digits with the concept from others of the same class: supported "
        "when the AUC is above 0.8 (the whole 95 % interval). Several units count by the mean of "
        "their standard scores. Says nothing about what the units do."
    ),
    "global detector": (
        "Whether the units tell digits with the concept from all other digits: supported when the "
        "AUC is above 0.9 (the whole 95 % interval) and the average precision above 0.5. A unit "
        "may know crossed sevens among sevens and still answer every 1."
    ),
    "erasable": (
        "Supported when removing at most a quarter of the layer's units, the first of some ranking "
        "made elsewhere, leaves at most 10 % of the class's recall and at least 95 % of every "
        "other class's."
    ),
    "effect": (
        "Accuracy after the removal less accuracy before it, on digits with the concept: below 0 "
        "is a loss. Margin: the logit of the right class less the largest other. Negative "
        "log-likelihood in nats; it moves long before accuracy does."
    ),
    "matched controls": (
        "200 sets of as many other units of the layer. Each unit's stand-in is drawn among the 20 "
        "nearest in strength: mean activation times the norm of the outgoing weights. p is the "
        "share of sets that do at least as much, the claim's own counted among them."
    ),
    "paired": (
        "The same digit with and without the part. Intact: what the part does to the answer. "
        "Difference: by how much that changes when the units are removed; 95 % intervals by "
        "Student's t over pairs."
    ),
    "within": "Area under the ROC curve among digits of the concept's class; 0.5 is chance.",
    "everywhere": "Area under the ROC curve among all digits; 0.5 is chance.",
    "loss": (
        "Loss of log-likelihood, nats, on the concept's digits when this unit alone is set to 0."
    ),
    "best_p": (
        "Share of 500 shuffles of the concept whose best unit of the whole layer reaches this "
        "unit's AUC (max-T, Westfall & Young 1993): what looking through a layer finds by luck."
    ),
    "p_value": "Share of matched control sets that cost as much as the claim's units, p.",
    "q_ledger": (
        "The p-values of all claims of this session, adjusted together: the false discovery rate "
        "at which the claim passes (Benjamini & Hochberg 1995)."
    ),
    "indexing": (
        "2016 indexing: rank the units of the next layer, remove the units with the same numbers "
        "from this one, as the published ablation script did."
    ),
    "j": (
        "Youden's J: how much more often the class is said of its digits than of others, with all "
        "units removed but these. 1 is perfect, 0 is chance."
    ),
    "rankings": (
        "Gradient EMA: how much training wanted the unit higher on the class, a running sum with "
        "decay 0.97 a batch (Bau 2016). Gradient × activation: the first-order rise of the loss "
        "without the unit (Molchanov et al. 2017). Selectivity: of its mean activation for the "
        "class. Single removal: the loss when it alone is removed. Greedy: the unit that next "
        "costs the class most and others least. Shapley: its mean addition over random orders."
    ),
    "shapley": (
        "What a unit adds to the log-likelihood of the class, averaged over random orders in which "
        "the units are put back (Shapley 1953; Ghorbani & Zou 2020). It finds units that stand in "
        "for one another, which removal one by one can't."
    ),
    "kind": (
        "Pixels: do the places at which the unit is active coincide with those of the concept? "
        "Images: are the digits on which it is most active those that have the concept? A dense "
        "layer has no places, so only images are compared."
    ),
    "level": (
        "The share of a unit's activations that counts as its answer: a unit marks the pixels, or "
        "the images, on which it is above the activation that this share exceeds (0.5 % in Bau et "
        "al. 2017). No unit can reach an IoU above the ratio of its share and the concept's."
    ),
    "detector": (
        "A unit is a detector of its chosen concept when, on the half of the digits it was not "
        "chosen on, its IoU is above 0.04 (Bau et al. 2017), above what 99 % of image-shuffled "
        "masks give, and its p-value passes at a false discovery rate of 5 % over all units and "
        "concepts."
    ),
    "controls": (
        "The same procedure on the network before training, same seed, and on this layer's units "
        "mixed by a random rotation: what these reach is not evidence that single units of the "
        "trained network mean something."
    ),
    "iou": (
        "Intersection over union: pixels (or images) that unit and concept share, over all that "
        "either marks, summed over all digits before dividing. 1 is the same set, 0 none in "
        "common."
    ),
    "found": "The IoU on the digits on which level and concept were chosen.",
    "low": "Lower bound of the 95 % interval, by bootstrap over digits.",
    "high": "Upper bound of the 95 % interval, by bootstrap over digits.",
    "null": (
        "What 99 % of shuffles stay below: the unit's masks laid on other digits' concepts, so "
        "this is what position and size alone give."
    ),
    "ceiling": (
        "The highest IoU possible, given how many pixels the unit and the concept mark: the "
        "smaller number over the larger."
    ),
    "of_ceiling": "The IoU as a share of its ceiling.",
    "q_value": (
        "Benjamini and Hochberg's adjusted p-value over all units and concepts of the layer: the "
        "false discovery rate at which this pair is still believed."
    ),
    "matched": (
        "The IoU when the unit's level is set so that it marks as many pixels as its concept has: "
        "then the ceiling is 1."
    ),
    "margin": "How far the IoU is above that of the unit's second concept.",
    "auc_within": (
        "The same among the digits of the concept's own class: does the unit tell a crossed 7 from "
        "a plain one?"
    ),
    "precision": (
        "Average precision: the mean precision over the steps of recall, when digits are sorted by "
        "the unit's activation. Its chance value is the share of digits that have the concept."
    ),
    "base": "The share of digits that have the concept: what average precision is by chance.",
    "correlation": (
        "Pearson's correlation of the unit's activation with the one that the label simulates: one "
        "value where the label is, another where it isn't (after Bills et al. 2023)."
    ),
    "mixed": (
        "The same correlation among the 5 % of digits with the highest activations and as many "
        "drawn at random."
    ),
    "balanced": (
        "Mean of the shares of digits told rightly with and without the label, by a threshold on "
        "the activation chosen on the other half."
    ),
    "coverage": "Share of the 1 % of digits with the highest activations that carry the label.",
    "label": (
        "The concept, its negation, or class and concept together whose presence predicts the "
        "activation best on one half of the test digits, scored on the other. “No label” when the "
        "score is no better than that of 99 % of shuffled digits. Two labels with a bar between: "
        "each explains top digits that the other doesn't."
    ),
    "difference": (
        "The same digit with and without the part: nothing else differs, so the difference is what "
        "the part does to the unit. Mean over pairs with a 95 % interval; p by random sign flips."
    ),
    "selectivity": (
        "Class selectivity index: (mean on the top class − mean on the others) / (their sum), of "
        "activations after the ReLU, or where positive if there is none. 1: active on its class "
        "alone. 0: alike on all. The top class is chosen on one half of the test digits, the "
        "number is measured on the other half, so chance can make it negative (Morcos et al. 2018)."
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
    "maximum": "The largest activation on any test digit, before any ReLU.",
    "sparseness": (
        "Lifetime sparseness: 0 when a unit answers every digit alike, 1 when it answers a single "
        "one (Vinje & Gallant 2000)."
    ),
    "effective_classes": (
        "exp of the entropy of the class means as shares: 1 when one class has all of the "
        "activation, 10 when all ten have equal parts."
    ),
    "dead": "Never above zero on any test digit: nothing ever passes its ReLU.",
    "dormant": (
        "Mean activation at most 2.5 % of its layer's average unit (Sokar et al. 2023), not dead."
    ),
    "always_on": "Above zero on every test digit: its ReLU does nothing, the unit is linear.",
    "saturated": (
        "In the outer 1 % of its range on 95 % of the digits: a gate that is stuck open or shut, a "
        "centre that answers nothing. Only units with bounds can be: a ReLU has no upper one."
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
