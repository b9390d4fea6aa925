"""What the metrics mean, in plain words, for those that a comparison measures."""

from __future__ import annotations

from collections.abc import Collection

MEANINGS: tuple[tuple[tuple[str, ...], str, str], ...] = (  # keys that must be there, a term, what it says
    (("accuracy", "macro_f1"), "Accuracy, macro F1",
     "Accuracy is the share of right answers. Macro F1 weighs every class alike, however rare it is."),
    (("nll", "brier", "ece"), "NLL, Brier, ECE",
     "How good the stated probabilities are; lower is better. ECE is the mean gap between confidence and accuracy."),
    (("qwk",), "Weighted kappa",
     "How much better than chance the answers are, where an answer counts as the worse the more steps it is off: 1 is "
     "perfect, 0 is chance."),
    (("micro_f1", "macro_f1"), "Micro F1, macro F1",
     "F1 balances the tags that were found against those that were rightly named. Micro F1 counts every tag of every "
     "sample alike, macro F1 every tag alike, however rare it is."),
    (("macro_f1",), "Macro F1", "F1 balances what was found against what was rightly named; every tag counts alike, however "
     "rare it is."),
    (("mean_average_precision",), "Mean average precision",
     "How well samples that have a tag are put before those that lack it, mean over the tags: 100 % is a perfect order."),
    (("map",), "Mean average precision",
     "How well samples that have a tag are put before those that lack it, mean over the tags: 100 % is a perfect order."),
    (("hamming",), "Hamming loss", "The share of all tags of all samples that are wrong; lower is better."),
    (("hamming_loss",), "Hamming loss", "The share of all tags of all samples that are wrong; lower is better."),
    (("subset_accuracy",), "All tags right", "The share of samples on which every tag is right."),
    (("r2",), "R²",
     "How much of the spread of the true values the predictions explain: 1 is perfect, 0 no better than always saying "
     "their mean, below 0 worse than that."),
    (("mae", "rmse"), "MAE, RMSE",
     "The mean size of an error, and the root of the mean squared error, in which large errors weigh more; lower is "
     "better."),
    (("mae",), "MAE", "The mean size of an error; lower is better."),
    (("spearman",), "Spearman’s rank correlation",
     "How well the predictions put samples in order: 1 is the true order, 0 none."),
    (("coverage", "width"), "Coverage, width",
     "How many true values lie in the interval around their prediction, and how wide these intervals are. Of two models "
     "that hold what they promise, the one with the narrower intervals knows more."),
    (("nll", "ece"), "NLL, ECE",
     "How good the stated probabilities are; lower is better. ECE is the mean gap between what is stated and what is "
     "true."),
    (("nll",), "NLL", "How good the stated uncertainty is; lower is better."),
)


def terms(metrics: Collection[str]) -> list[tuple[str, str]]:
    """(term, meaning) for the metrics with these keys, each explained once."""
    told, found = set[str](), []
    for keys, term, says in MEANINGS:
        if set(keys) <= set(metrics) and not told & set(keys) - {"macro_f1"} and not set(keys) <= told:
            told |= set(keys)
            found.append((term, says))
    return found
