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
        "A ReLU turns every value below 0 into exactly 0. Before it, the whole distribution is "
        "there. After it, the zeros are an atom, which is reported apart: it is no mode, and only "
        "what is above 0 is tested."
    ),
    "dip": (
        "Distance of the sample's distribution function from the nearest one with a single mode, "
        "0 to 0.25 (Hartigan & Hartigan 1985)."
    ),
    "p": (
        "Share of uniform samples of the same size with as large a dip, by Monte Carlo. The "
        "uniform law is the hardest one with a single mode, so for all others this is too high "
        "rather than too low."
    ),
    "q": (
        "The p-value adjusted for the number of units of the layer (Benjamini & Hochberg 1995): "
        "the false discovery rate at which this unit is still called multimodal. Below 0.05 is "
        "the claim. Discovery half."
    ),
    "p_confirmed": "The p-value of the dip on the confirmation half, which chose nothing.",
    "sensitive_p": (
        "Silverman's (1981) test: how often a smooth law with one mode needs as much smoothing, "
        "modes counted between the 1 % and 99 % quantile. Calibrated by Monte Carlo on the "
        "Gaussian, exponential, t₃ and lognormal laws, of which the worst counts."
    ),
    "sensitive_q": "The same, adjusted for the number of units of the layer.",
    "zeros": "Share of the digits on which the value is exactly 0.",
    "modes": (
        "Peaks of the kernel density that rise at least 5 % of the highest peak above their "
        "saddle, and are there in 90 % of resamples at 0.8, 1 and 1.25 times the bandwidth. One, "
        "unless the dip claims more (p below 0.05); then at most the fewest that Silverman's test "
        "for two, three, … modes doesn't reject."
    ),
    "bandwidth": (
        "Standard deviation of the Gaussian that each digit is smeared with. 100 % is the "
        "improved Sheather–Jones rule (Botev et al. 2010), chosen on the values alone. Wider "
        "hides modes, narrower invents them: what you see at one width only is no evidence."
    ),
    "bimodality": (
        "(skewness² + 1) / kurtosis, corrected for n (Pfister et al. 2013). Above 5/9 = 0.556 is "
        "often called bimodal, and so is every skewed law: a description, no test."
    ),
    "bic": (
        "BIC of one Gaussian minus that of two. Above 10 only says that two Gaussians describe the "
        "values better than one, as they do any law that isn't Gaussian: a description, no test."
    ),
    "stability": "Share of 120 resamples, at three bandwidths, in which the mode is there.",
    "share": "Share of all digits that lie between the valleys around the mode.",
    "prominence": "How far the peak rises above the saddle to higher ground; 1: the highest peak.",
    "class_share": (
        "Share of the mode's digits that are of the class, with Wilson's 95 % interval; grey tick: "
        "the share of the class among all digits."
    ),
    "information": (
        "Mutual information of mode and class in bits: how much the mode tells of the class. "
        "Shuffled: what 95 % of shuffled labels stay below. Two modes can tell 1 bit at most."
    ),
    "base": "Share of all digits that have the concept.",
    "expected": (
        "The share that the mode's classes explain: each class's digits spread over the modes at "
        "random. A crossed 7 is rare in a mode without sevens, and that says nothing new."
    ),
    "more": "Share in the mode minus what its classes explain.",
    "concept_q": (
        "p of that difference over the classes (Mantel & Haenszel 1959), adjusted for all modes "
        "and concepts."
    ),
    "within": (
        "The dip among the digits of one class alone, adjusted for the ten classes. Two modes "
        "there can't be two classes: the unit tells two ways of writing the same digit apart."
    ),
    "untrained": (
        "The same network before training, same seed, same procedure. What it has, training did "
        "not make."
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
        "A middle valley between two large modes: 50/50 at 4 standard deviations always. **Claims "
        "are made by this test alone**: on every law with one mode it is wrong in 5 % or less.",
        "A small mode: at 13 % of the digits it finds nearly none below 5 standard deviations.",
    ),
    "critical": (
        "Small modes too: 13 % of the digits at 4 standard deviations in some 94 of 100 samples.",
        "The difference between two modes and a flat top: it rejects some 40 of 100 samples of a "
        "uniform law. It says nothing about size.",
    ),
    "peaks": (
        "Where modes are, and which digits belong to them.",
        "Whether they are chance: the edges of a uniform law make peaks as well.",
    ),
    "bimodality": (
        "Skewness and flat or split middles, in one number.",
        "The difference between two modes and one skewed mode.",
    ),
    "bic": (
        "Whether two bells describe the values better than one.",
        "The difference between two modes and any law that is not a bell.",
    ),
}
VERDICTS = {
    "one mode": (
        "**No claim of a second mode.** The dip on the confirmation half is no larger than a law "
        "with one mode gives."
    ),
    "classes": (
        "**Its modes are different classes.** All digits together have more than one mode, the "
        "digits of no single class do."
    ),
    "ways of writing": (
        "**Two ways of writing.** Among the digits of one class alone there is more than one mode."
    ),
    "both": (
        "**Different classes, and two ways of writing.** The modes tell classes apart, and there "
        "is a class that has more than one mode by itself."
    ),
    "unexplained": (
        "**More than one mode, of which classes say nothing**: mode and class share no more "
        "information than shuffled labels do."
    ),
}
