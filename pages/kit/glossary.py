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
    "found": "IoU, discovery",
    "low": "from",
    "high": "to",
    "null": "Shuffled",
    "ceiling": "Ceiling",
    "of_ceiling": "Share of ceiling",
    "q_value": "q",
    "margin": "Margin",
    "matched": "IoU at its size",
    "auc_low": "AUC from",
    "auc_high": "AUC to",
    "auc_within": "AUC in class",
    "precision": "Average precision",
    "base": "chance",
    "correlation": "Correlation",
    "mixed": "Correlation, top images",
    "balanced": "Balanced accuracy",
    "coverage": "Coverage",
    "wanted": "Pushed up for",
    "mean_z": "Mean activation",
    "on": "Active on",
    "gradient_now": "Gradient",
    "effective": "Effective digits",
    "part": "Distinguished concept",
    "part_auc": "AUC, confirmation",
    "within": "AUC in class",
    "everywhere": "AUC among all",
    "loss": "Loss when removed",
    "best_p": "p, best unit",
    "necessary": "Necessary",
    "sufficient": "Sufficient",
    "conditional detector": "Conditional detector",
    "global detector": "Global detector",
    "erasable": "Erasable with few units",
    "necessity": "Loss of margin",
    "linear share": "Linear share",
    "second iou": "IoU of second",
    "third iou": "IoU of third",
}

DEFINITIONS = {
    "change_discovery": "The change on the discovery half, on which the class was chosen.",
    "change_interval": "95 % interval of the change, paired by digit (Bonett & Price 2012).",
    "anomaly": (
        "The class with the unit's largest running gradient (decay 0.97 per batch) is one on "
        "which its mean activation before the ReLU is negative."
    ),
    "wanted": (
        "The class for which training pushes the unit's activation up most, by its running "
        "gradient."
    ),
    "mean_z": "Mean activation before the ReLU on that class, on the discovery half.",
    "on": "Share of that class's digits on which the unit is above zero.",
    "gradient_now": (
        "Running gradient for the class at the end of training, g ← 0.97 g − Σ ∂ℓ/∂b per batch."
    ),
    "effective": (
        "Effective number of digits that contribute to the unit's gradient, (Σ|g|)² / Σg² over "
        "training digits of the class: in a network that classifies well, gradients come from a "
        "few hard digits."
    ),
    "part": (
        "The concept that the activation distinguishes best within the class, on the discovery "
        "half."
    ),
    "part_auc": "Its area under the ROC curve on the confirmation half; 0.5 is chance.",
    "mean images": (
        "Σ w x / Σ w over digits of the class: w = 1, w = max(z, 0), and w = max(−∂ℓ/∂b, 0)."
    ),
    "gradient row": (
        "Gradient row: G ← 0.97 G − Σ ∂ℓ/∂b · (x − ½) ⊙ |∂ℓ/∂x| over the digits x of a class in "
        "each batch (Bau 2016): what a digit that pushes the unit up looks like. Mid-grey is 0, "
        "black is 5 standard deviations over the whole movie; larger values are clipped."
    ),
    "activation row": (
        "Activation row: A = Σ z (x − ½) over the digits of a class, z before the ReLU; "
        "rectified: max(z, 0) instead. These are sums over the class, as in 2016, so a frequent "
        "class has more weight."
    ),
    "claim": (
        "The rules were fixed before any claim was tested. Means, scales and the strength of "
        "controls come from the discovery half of the test digits, effects from the confirmation "
        "half. No conclusion is drawn from fewer than 30 digits."
    ),
    "erasing": (
        "Least squares (LEACE, Belrose et al. 2023) changes what the next layer reads as little as "
        "possible so that no linear read-out of it tells the concept any more. Projection takes "
        "out the fitted direction alone."
    ),
    "probe_after": (
        "After erasing, another direction is fitted on discovery digits and judged on confirmation "
        "digits. After LEACE it should be near .5: what is above is what a finite sample misses."
    ),
    "over_seeds": (
        "A claim may be an accident of one training. In each the best units are chosen and judged "
        "as here; the interval draws trainings and digits anew, each for itself (Multi-Bootstrap, "
        "Sellam et al. 2022). The curve shows every way in which the claim could have been tested "
        "(Simonsohn et al. 2020)."
    ),
    "nulls": (
        "Networks that can't know the answer: before any training, or trained on labels that were "
        "shuffled once. What the procedure says yes to there, it says yes to by luck, by the "
        "choice among many units, or because a random network has it (Bennett et al. 2009; "
        "Adebayo et al. 2018)."
    ),
    "null_score": (
        "Necessary: share of the concept's digits that is lost without the units. Sufficient: how "
        "much more often these digits are said to be of their class than others, with all other "
        "units removed. Detectors: AUC. A verdict is supported only above the 95th percentile of "
        "untrained networks' best units."
    ),
    "operator": (
        "What a removed unit's activation becomes. Mean, class mean, constant and direction are "
        "fitted on the discovery half. Class mean and another digit of the class take away only "
        "what the unit says beyond the class. The constant that costs least is that with which "
        "the network loses least on all digits (Li & Janson 2024): what removing by zero or the "
        "mean costs beyond it is the harm of an activation that the network never sees. Without "
        "the concept's direction: least squares takes from the removed units what a linear "
        "read-out of them could say of the concept (LEACE, Belrose et al. 2023); of one unit its "
        "mean before the ReLU is left."
    ),
    "necessary": (
        "Supported when removing the units costs the concept's digits more than 10 points of "
        "accuracy (the whole 95 % interval), and more log-likelihood than 95 % of the control sets "
        "cost. Not supported when the interval excludes 10 points, or control sets cost as much. "
        "Otherwise inconclusive."
    ),
    "necessary by operator": (
        "The verdict on necessity, with the same rule and the same control sets, for each value "
        "that may stand for the removed units. They agree when all give one verdict, and "
        "contradict one another when some support the claim and others exclude it."
    ),
    "sufficient by operator": (
        "The verdict on sufficiency for each value that may stand for all the other units of the "
        "layer. They agree when all give one verdict, and contradict one another when some "
        "support the claim and others exclude it. Class mean and another digit of the class "
        "aren't asked: they leave the class in all the other units."
    ),
    "accuracy lost": (
        "Accuracy on the concept's digits before the removal minus accuracy after it; below 0 is "
        "a gain."
    ),
    "kept": (
        "The share of the network's separation of the concept's digits from other classes "
        "(Youden's J) that remains when all other units of the layer are removed."
    ),
    "kept p": (
        "Share of matched control sets that keep at least as much of the separation alone as the "
        "claimed units, p."
    ),
    "detectable": (
        "The smallest true loss of accuracy that this many digits show to be above 10 points with "
        "80 % power: in 80 of 100 samples of as many other digits, the lower end of the interval "
        "would be above 10 points."
    ),
    "sufficient": (
        "All other units of the layer are removed. Supported when the network still separates the "
        "concept's digits from those of other classes at least 75 % as well as before (the whole "
        "95 % interval), and better than 95 % of the control sets do alone. Separation is "
        "measured by how much more often the class is predicted for its own digits than for "
        "others (Youden's J)."
    ),
    "conditional detector": (
        "Whether the units separate digits with the concept from others of the same class: "
        "supported when the AUC is above 0.8 (the whole 95 % interval). Several units are "
        "combined by the mean of their standard scores. This says nothing about what the network "
        "uses the units for."
    ),
    "global detector": (
        "Whether the units separate digits with the concept from all other digits: supported when "
        "the AUC is above 0.9 (the whole 95 % interval) and the average precision above 0.5. A "
        "unit may separate crossed sevens from other sevens and still respond to every 1."
    ),
    "erasable": (
        "Supported when removing at most a quarter of the layer's units, the first ones in one of "
        "the rankings, leaves at most 10 % of the class's recall and at least 95 % of every other "
        "class's."
    ),
    "effect": (
        "Accuracy after the removal minus accuracy before it, on digits with the concept: below 0 "
        "is a loss. Margin: the logit of the correct class minus the largest other logit. "
        "Negative log-likelihood, in nats, is more sensitive than accuracy."
    ),
    "matched controls": (
        "200 sets of equally many other units of the layer. Each unit is replaced by one of the "
        "20 units nearest in strength: mean activation times the norm of the outgoing weights. p "
        "is the share of sets with at least as large an effect, counting the claimed set itself."
    ),
    "paired": (
        "The same digit with and without the part. Intact: effect of the part on the network's "
        "output. Difference: change of this effect when the units are removed; 95 % intervals by "
        "Student's t over pairs."
    ),
    "within": "Area under the ROC curve among digits of the concept's class; 0.5 is chance.",
    "everywhere": "Area under the ROC curve among all digits; 0.5 is chance.",
    "loss": (
        "Loss of log-likelihood, nats, on the concept's digits when this unit alone is set to 0."
    ),
    "best_p": (
        "Share of 500 shuffles of the concept whose best unit of the whole layer reaches this "
        "unit's AUC (max-T, Westfall & Young 1993): it allows for picking the best of many units."
    ),
    "p_value": (
        "Share of matched control sets whose removal costs at least as much as that of the "
        "claimed units, p."
    ),
    "q_ledger": (
        "The p-values of all claims of this session, adjusted together: the false discovery rate "
        "at which the claim passes (Benjamini & Hochberg 1995)."
    ),
    "indexing": (
        "2016 indexing: rank the units of the next layer, but remove the units with the same "
        "numbers from this layer, as the published ablation script did."
    ),
    "j": (
        "Youden's J: how much more often the class is predicted for its own digits than for "
        "others, with all units but these removed. 1 is perfect, 0 is chance."
    ),
    "rankings": (
        "Gradient EMA: how much training pushed the unit up for the class, a running sum with "
        "decay 0.97 per batch (Bau 2016). Gradient × activation: the first-order rise of the loss "
        "without the unit (Molchanov et al. 2017). Selectivity: that of its mean activation for "
        "the class. Single removal: the loss when only this unit is removed. Greedy: at each step "
        "the unit whose removal costs the class most and other classes least. Shapley: its mean "
        "contribution over random orders."
    ),
    "shapley": (
        "What a unit adds to the log-likelihood of the class, averaged over random orders in "
        "which the units are put back (Shapley 1953; Ghorbani & Zou 2020). It finds units that "
        "can replace one another, which removing units one by one can't."
    ),
    "kind": (
        "Pixels: is the unit active at the same places as the concept? Images: is the unit most "
        "active on digits that have the concept? A dense layer has no places, so only images are "
        "compared."
    ),
    "level": (
        "The share of a unit's activations that counts as active: a unit marks the pixels, or the "
        "images, on which it is above the threshold that this share exceeds (0.5 % in Bau et al. "
        "2017). No unit can reach an IoU above the ratio of its share to the concept's."
    ),
    "detector": (
        "A unit is a detector of its chosen concept when, on the confirmation half, its IoU is "
        "above 0.04 (Bau et al. 2017) and above the 99th percentile for image-shuffled masks, and "
        "its p-value passes at a false discovery rate of 5 % over all units and concepts."
    ),
    "controls": (
        "The same procedure on the network before training, same seed, and on this layer's units "
        "mixed by a random rotation: results that these also reach are no evidence that single "
        "units of the trained network represent something."
    ),
    "iou": (
        "Intersection over union: pixels (or images) marked by both unit and concept, divided by "
        "those marked by either, each summed over all digits. 1: identical, 0: no overlap."
    ),
    "found": "The IoU on the discovery half, on which level and concept were chosen.",
    "low": "Lower bound of the 95 % interval, by bootstrap over digits.",
    "high": "Upper bound of the 95 % interval, by bootstrap over digits.",
    "null": (
        "99th percentile when the unit's masks are compared with other digits' concepts: the IoU "
        "that position and size alone give."
    ),
    "ceiling": (
        "The highest IoU possible, given how many pixels the unit and the concept mark: the "
        "smaller number divided by the larger."
    ),
    "of_ceiling": "The IoU as a share of its ceiling.",
    "q_value": (
        "Benjamini and Hochberg's adjusted p-value over all units and concepts of the layer: the "
        "false discovery rate at which this pair still passes."
    ),
    "matched": (
        "The IoU when the unit's level is set so that it marks as many pixels as its concept has: "
        "then the ceiling is 1."
    ),
    "margin": "How far the IoU is above that of the unit's second concept.",
    "auc_within": (
        "The AUC among digits of the concept's own class: does the unit separate crossed sevens "
        "from plain ones?"
    ),
    "precision": (
        "Average precision: the mean precision over all levels of recall, when digits are sorted "
        "by the unit's activation. Its chance value is the share of digits that have the concept."
    ),
    "base": "The share of digits that have the concept: what average precision is by chance.",
    "correlation": (
        "Pearson's correlation of the unit's activation with a simulated one that has one value "
        "where the label applies and another where it doesn't (after Bills et al. 2023)."
    ),
    "mixed": (
        "The same correlation among the 5 % of digits with the highest activations and as many "
        "random ones."
    ),
    "balanced": (
        "Mean of the shares of digits with and without the label that are classified correctly by "
        "a threshold on the activation, chosen on the discovery half."
    ),
    "coverage": (
        "Share of the 1 % of digits with the highest activations to which the label applies."
    ),
    "label": (
        "The concept, its negation, or class and concept together that best predicts the "
        "activation on one half of the test digits; scores are from the other half. “No label” if "
        "the score does not exceed the 99th percentile under shuffling. Two labels separated by a "
        "bar: each explains top digits that the other doesn't."
    ),
    "difference": (
        "The same digit with and without the part: nothing else differs, so the difference is what "
        "the part does to the unit. Mean over pairs with a 95 % interval; p by random sign flips."
    ),
    "selectivity": (
        "Class selectivity index: (mean on the top class − mean on the others) / (their sum), of "
        "activations after the ReLU, or where positive if there is none. 1: active only on its "
        "class. 0: equally active on all. The top class is chosen on one half of the test digits, "
        "the number is measured on the other half, so chance can make it negative (Morcos et al. "
        "2018)."
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
        "Distance of the means on the top class and on the others, in units of their pooled "
        "standard deviation, √((σ₁² + σ₀²)/2)."
    ),
    "information": (
        "Mutual information of activation and class in bits: equal-frequency bins, exact zeros in "
        "a separate bin, Miller–Madow corrected. A perfect detector of one class in ten carries "
        "0.47 bits; the class itself has 3.32 bits."
    ),
    "fraction_active": "Share of the digits on which the unit is above zero, at any position.",
    "top_class": "The class with the largest mean activation, chosen on the discovery digits.",
    "maximum": "The largest activation on any test digit, before any ReLU.",
    "sparseness": (
        "Lifetime sparseness: 0 if a unit responds equally to all digits, 1 if it responds to a "
        "single one (Vinje & Gallant 2000)."
    ),
    "effective_classes": (
        "exp of the entropy of the class means as shares: 1 if one class has all of the "
        "activation, 10 if all ten have equal shares."
    ),
    "dead": "Never above zero on any test digit: its ReLU always outputs 0.",
    "dormant": (
        "Not dead, but its mean activation is at most 2.5 % of the layer's average (Sokar et al. "
        "2023)."
    ),
    "always_on": "Above zero on every test digit: its ReLU has no effect, so the unit is linear.",
    "saturated": (
        "In the outer 1 % of its range on 95 % of the digits: a gate stuck open or closed, a "
        "centre that never responds. Only units with a bounded range can be saturated: a ReLU has "
        "no upper bound."
    ),
    "constant": "Its standard deviation over the test digits is below 0.000001.",
    "untrained": (
        "The same unit of the network before training, same seed, same procedure. Whatever an "
        "untrained unit shows was not learned."
    ),
    "permuted": (
        "The same unit with the digits' labels shuffled, same procedure: 95th percentile over "
        "shuffles. This is the chance level."
    ),
    "necessity": (
        "By how much the margin of this digit, the logit of its class minus the largest other "
        "logit, falls when the activation is replaced: measured digit by digit, nothing is "
        "estimated. A digit is listed only if the loss is larger than rounding."
    ),
    "linear share": (
        "The same to first order: what the next layer reads of the unit, minus what it reads "
        "after the replacement, times the slope of the margin along it, (x − x₀) · ∂margin/∂x. "
        "Only what is linear in the units adds up: the shares of all units of a layer differ from "
        "the loss when all of them are replaced."
    ),
    "overlap": (
        "Digits that activate a unit most need not be those whose answer depends on it (relevance "
        "maximization, Achtibat et al. 2023). Counted: of the digits it matters for most, how many "
        "are among as many with the highest activation. Rank correlation: Spearman's, over all "
        "digits of the confirmation half; 1 if both sort the digits alike."
    ),
    "relevance map": (
        "Contribution of the unit: how much the margin falls without it, as a function of the "
        "image. Gradient × input: each pixel's ink times the slope of the contribution along it. "
        "Occlusion: what the contribution loses when the ink of a square of 4 × 4 pixels is "
        "erased, spread evenly over the square. If the contribution were linear in the pixels, "
        "both would add up to the contribution minus that on blank paper; what is missing is the "
        "completeness gap."
    ),
    "contribution": (
        "Weight × activation: what one unit adds to another, before the nonlinearity of the one "
        "that gets it; a ReLU or pooling behind the one that gives is taken into account. Of a "
        "map, the mean over its positions. All contributions and the bias sum to the activation. "
        "It is arithmetic, not an experiment: what happens without a unit is shown on Ask."
    ),
    "effective_inputs": (
        "exp of the entropy of |contribution| as shares, confirmation half: 1 if one input gives "
        "all, the number of inputs if all give the same. Untrained: the same unit of the network "
        "before training, same seed, same procedure."
    ),
    "nearest": (
        "Other units of the layer. By activations: Pearson's correlation over digits, of what the "
        "ReLU passes on, of a map its maximum; the nearest were chosen on the discovery half, the "
        "number is from the confirmation half. By weights: cosine of the incoming weights. Of "
        "many units one is always nearest, so compare with the untrained network."
    ),
    "partner": (
        "Units of two networks have no common order. Each unit is assigned a partner in the other "
        "network, one to one, so that the sum of |correlation| on the discovery half is as large "
        "as possible (Hungarian assignment, Li et al. 2015). The number is from the confirmation "
        "half. Shuffled: 95th percentile of the same matching with one network's digits shuffled."
    ),
    "share": (
        "Activation of the unit on its maximized image, divided by its largest activation on a "
        "real test digit. Above 100 %, the image activates the unit more than any digit does."
    ),
}
