"""What the metrics mean, in plain words, for those that a comparison measures."""

from __future__ import annotations

from collections.abc import Collection

MEANINGS: tuple[tuple[tuple[str, ...], str, str], ...] = (  # keys that must all be there, a term, what it says
    (("kappa", "mae"), "Quadratic kappa, steps off",
     "How much better than chance the answers are, where an answer that is twice as many steps off counts four "
     "times: 1 is perfect, 0 chance. The mean absolute error (MAE) says how many steps off an answer is on average."),
    (("accuracy", "macro_f1"), "Accuracy, macro F1",
     "Accuracy is the share of right answers. Macro F1 weighs every class alike, however rare it is."),
    (("micro_f1", "macro_f1"), "Macro, micro and sample F1",
     "F1 is 100 % where just the right tags are given; one that is missing costs as much as one too many. Macro F1"
     " weighs every tag alike, however rare it is; micro F1 every tag that is given or missed; F1 per sample every"
     " sample."),
    (("mean_ap",), "Mean average precision (mAP)",
     "How well the samples that have a tag are put before those that lack it, whatever the threshold: 100 % is "
     "perfect."),
    (("r2",), "R²",
     "How much of the spread of the true values the predictions explain: 1 is perfect, 0 no better than always "
     "answering their mean, below 0 worse than that."),
    (("mae", "rmse"), "Errors",
     "The mean absolute error (MAE) is how far off an answer is on average; in the root mean squared error (RMSE) "
     "large errors weigh more. Lower is better."),
    (("spearman",), "Spearman’s rank correlation",
     "How well the predictions put the samples in order: 1 is the true order, 0 no order."),
    (("coverage", "width"), "Coverage, width",
     "How many true values lie within the interval of their prediction, and how wide these intervals are. Of two "
     "models whose intervals hold what they promise, the one with the narrower ones knows more."),
    (("nll", "brier", "ece"), "NLL, Brier, ECE",
     "How good the stated probabilities are; lower is better. ECE is the mean gap between confidence and accuracy."),
    (("nll", "ece"), "NLL, ECE",
     "How good the stated probabilities are; lower is better. ECE is the mean gap between the stated probability "
     "of a tag and how often it is there."),
    (("nll",), "NLL", "How good the stated uncertainty is; lower is better."),
)


def terms(metrics: Collection[str]) -> list[tuple[str, str]]:
    """(term, meaning) for the metrics with these keys, each explained once."""
    told, found = set[str](), []
    for keys, term, says in MEANINGS:
        if set(keys) <= set(metrics) and not set(keys) & told:
            told |= set(keys)
            found.append((term, says))
    return found
