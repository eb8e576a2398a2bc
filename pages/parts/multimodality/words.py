"""What each number about modes is, and what each test can and can't see."""

from __future__ import annotations

__all__ = ["CANT", "COLUMNS", "DEFINITIONS", "ORDERS", "TAPS", "VERDICTS"]

TAPS = {"before": "Before the ReLU", "after": "After the ReLU"}
ORDERS = {
    "evidence": "Evidence (dip)",
    "sensitive": "Critical bandwidth",
    "zeros": "Exact zeros",
    "index": "Number",
}
DEFINITIONS = {
    "tap": (
        "A ReLU turns every value below 0 into exactly 0. Before it, the whole distribution can "
        "be seen. After it, the zeros are reported separately: they are not a mode, and only "
        "values above 0 are tested."
    ),
    "dip": (
        "Distance of the sample's distribution function from the nearest one with a single mode, "
        "0 to 0.25 (Hartigan & Hartigan 1985)."
    ),
    "p": (
        "Share of uniform samples of the same size with at least as large a dip, by Monte Carlo. "
        "Among distributions with one mode the uniform is the hardest case, so for all others "
        "this p is too high rather than too low."
    ),
    "q": (
        "The p-value adjusted for the number of units of the layer (Benjamini & Hochberg 1995): "
        "the false discovery rate at which this unit is still called multimodal. More than one "
        "mode is claimed below 0.05. Discovery half."
    ),
    "p_confirmed": "The p-value of the dip on the confirmation half, on which nothing was chosen.",
    "sensitive_p": (
        "Silverman's (1981) test: how often a smooth distribution with one mode needs as much "
        "smoothing, with modes counted between the 1 % and 99 % quantiles. Calibrated by Monte "
        "Carlo on Gaussian, exponential, t₃ and lognormal distributions, of which the worst case "
        "is used."
    ),
    "sensitive_q": "The same, adjusted for the number of units of the layer.",
    "zeros": "Share of the digits on which the value is exactly 0.",
    "modes": (
        "Peaks of the kernel density that rise at least 5 % of the highest peak above their "
        "saddle and appear in 90 % of resamples at 0.8, 1 and 1.25 times the bandwidth. One, "
        "unless the dip test claims more (p below 0.05); then at most the smallest number that "
        "Silverman's test for two, three, … modes doesn't reject."
    ),
    "bandwidth": (
        "Standard deviation of the Gaussian kernel. 100 % is the improved Sheather–Jones rule "
        "(Botev et al. 2010), which uses the values alone. A wider kernel hides modes, a narrower "
        "one creates spurious ones: what appears at one bandwidth only is not evidence."
    ),
    "bimodality": (
        "(skewness² + 1) / kurtosis, corrected for n (Pfister et al. 2013). Values above 5/9 = "
        "0.556 are often called bimodal, but every skewed distribution has them too: a "
        "description, not a test."
    ),
    "bic": (
        "BIC of one Gaussian minus that of two. Above 10 only means that two Gaussians fit better "
        "than one, which is so for any distribution that isn't Gaussian: a description, not a "
        "test."
    ),
    "stability": "Share of 120 resamples, at three bandwidths, in which the mode appears.",
    "share": "Share of all digits between the valleys around the mode.",
    "prominence": (
        "Height of the peak above the saddle to the next higher peak; 1: the highest peak."
    ),
    "class_share": (
        "Share of the mode's digits that are of the class, with its 95 % Wilson interval; grey "
        "tick: the share of the class among all digits."
    ),
    "information": (
        "Mutual information of mode and class in bits. Shuffled: the 95th percentile under "
        "shuffled labels. Two modes can carry 1 bit at most."
    ),
    "base": "Share of all digits that have the concept.",
    "expected": (
        "The share that the mode's classes explain: expected if each class's digits with the "
        "concept were spread over the modes at random. That crossed sevens are rare in a mode "
        "without sevens is not news."
    ),
    "more": "Share in the mode minus what its classes explain.",
    "concept_q": (
        "p of that difference over the classes (Mantel & Haenszel 1959), adjusted for all modes "
        "and concepts."
    ),
    "within": (
        "The dip test on the digits of one class alone, adjusted for the ten classes. Two modes "
        "there can't be two classes: the unit distinguishes two ways of writing the same digit."
    ),
    "untrained": (
        "The same network before training, same seed, same procedure. What is found there was not "
        "learned."
    ),
}
COLUMNS = {
    "q": "q, dip",
    "p_confirmed": "p, confirmation",
    "sensitive_q": "q, critical width",
    "sensitive_confirmed": "p, confirmation (width)",
    "zeros": "exact zeros",
    "modes": "modes",
    "dip": "dip",
    "bandwidth": "bandwidth",
    "bimodality": "coefficient",
    "untrained_p": "p, untrained",
}
CANT = {
    "dip": (
        "A valley between two large modes: always if they are equal and 4 standard deviations "
        "apart. **Claims are based on this test alone**: for any distribution with one mode it is "
        "wrong in at most 5 % of cases.",
        "A small mode: with 13 % of the digits it is rarely found at less than 5 standard "
        "deviations.",
    ),
    "critical": (
        "Small modes too: with 13 % of the digits, at 4 standard deviations, in about 94 of 100 "
        "samples.",
        "The difference between two modes and a flat top: it rejects about 40 of 100 samples of a "
        "uniform distribution. It says nothing about size.",
    ),
    "peaks": (
        "Where modes are, and which digits belong to them.",
        "Whether they are due to chance: the edges of a uniform distribution make peaks as well.",
    ),
    "bimodality": (
        "Skewness and a flat or split centre, in one number.",
        "The difference between two modes and one skewed mode.",
    ),
    "bic": (
        "Whether two Gaussians fit the values better than one.",
        "The difference between two modes and any distribution that is not Gaussian.",
    ),
}
VERDICTS = {
    "one mode": (
        "**No claim of a second mode.** The dip on the confirmation half is no larger than for a "
        "distribution with one mode."
    ),
    "classes": (
        "**Its modes are different classes.** All digits together have more than one mode, but no "
        "single class has."
    ),
    "ways of writing": (
        "**Two ways of writing.** Among the digits of one class alone there is more than one mode."
    ),
    "both": (
        "**Different classes, and two ways of writing.** The modes separate classes, and at least "
        "one class has more than one mode by itself."
    ),
    "unexplained": (
        "**More than one mode, unrelated to classes**: mode and class share no more information "
        "than under shuffled labels."
    ),
}
