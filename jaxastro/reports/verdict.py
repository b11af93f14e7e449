"""The numbers of metrics.json in words: what was shown, and what was not."""

from jaxastro.evaluation.bootstrap import FEW_GROUPS
from jaxastro.reports.style import interval_text

SEES = {
    "nuisance": ", which sees only how and when the objects were observed",
    "majority": ", which always names the commonest class",
}


def verdict(metrics: dict) -> str:
    """Returns one paragraph: the score, against the baselines, and its confidence."""
    return " ".join(sentences(metrics))


def sentences(metrics: dict) -> list[str]:
    """Returns the sentences of the verdict; the first is the score."""
    told = [
        f"Macro F1 {interval_text(metrics['macro_f1'])} on {metrics['num_objects']} "
        f"objects, scored against {metrics['scored_against']}.",
        *(_against(metrics, name) for name in sorted(metrics["baselines"], key=rank)),
        _weakest(metrics),
        _confidence(metrics),
        _spread(metrics),
    ]
    return [sentence for sentence in told if sentence]


def cautions(metrics: dict) -> list[str]:
    """Returns what a careful reader should know before quoting the score."""
    found = []
    if metrics["num_groups"] < FEW_GROUPS:
        groups = metrics["num_groups"]
        found.append(
            f"The objects fall into {groups} independent group{'s' * (groups > 1)} "
            f"only. Intervals from fewer than {FEW_GROUPS} are too narrow; treat them "
            "as a lower bound of the uncertainty."
        )
    absent = [n for n, row in metrics["per_class"].items() if not row["count"]]
    if absent:
        found.append(
            f"No object of class {', '.join(absent)} was scored. Such a class counts "
            "as 0 in macro F1 and is left out of balanced accuracy."
        )
    rare = [n for n, row in metrics["per_class"].items() if 0 < row["count"] < 20]
    if rare:
        found.append(
            f"Fewer than 20 objects of class {', '.join(rare)}: one object more or "
            "less moves its scores by several points, and macro F1 with them."
        )
    # Balanced accuracy, for that of any guess is one over the number of classes.
    nuisance = metrics["baselines"]["nuisance"]["balanced_accuracy"]
    chance = 1 / sum(row["count"] > 0 for row in metrics["per_class"].values())
    if nuisance["low"] > chance:
        found.append(
            "How and when objects were observed already tells something of their "
            f"class: balanced accuracy {interval_text(nuisance)} without any look at "
            f"them, {chance:.2f} by guessing. Judge the model by its margin above that."
        )
    return found


def is_clearly_above(metrics: dict, name: str) -> bool:
    """Returns whether macro F1 is surely above a baseline's, with groups to tell."""
    gap = metrics["above_baselines"][name]["macro_f1"]
    return gap["low"] > 0 and metrics["num_groups"] >= FEW_GROUPS


def rank(name: str) -> tuple[bool, bool, str]:
    """Orders baselines: those that look at the object, then nuisance, majority."""
    return name == "majority", name == "nuisance", name


def _against(metrics: dict, name: str) -> str:
    gap = metrics["above_baselines"][name]["macro_f1"]
    if metrics["num_groups"] < FEW_GROUPS:
        claim = "There are too few groups to tell whether it is above"
    elif is_clearly_above(metrics, name):
        claim = "It is clearly above"
    elif gap["high"] < 0:
        claim = "It is clearly below"
    else:
        claim = "It is not clearly above"
    score = metrics["baselines"][name]["macro_f1"]["value"]
    return (
        f"{claim} the {name} baseline ({score:.2f}){SEES.get(name, '')}: difference "
        f"{gap['value']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}]."
    )


def _weakest(metrics: dict) -> str:
    scored = {n: row for n, row in metrics["per_class"].items() if row["count"]}
    if len(scored) < 2:
        return ""
    name = min(scored, key=lambda n: scored[n]["f1"]["value"])
    row = scored[name]
    return (
        f"The hardest class is {name}: F1 {interval_text(row['f1'])} over "
        f"{row['count']} object{'s' * (row['count'] > 1)}."
    )


def _confidence(metrics: dict) -> str:
    sure, right = metrics["mean_confidence"], metrics["accuracy"]["value"]
    error = f"calibration error {metrics['ece']:.3f}"
    if metrics["ece"] <= metrics["ece_by_chance"]:
        return (
            "Its stated confidence agrees with how often it is right, as far as so "
            f"many objects can tell ({error}, where chance alone would stay below "
            f"{metrics['ece_by_chance']:.3f})."
        )
    if abs(sure - right) < 0.02:
        manner = "over-confident here and under-confident there"
    else:
        manner = "over-confident" if sure > right else "under-confident"
    return (
        f"It is {manner}: {sure:.0%} sure on average and right {right:.0%} of the "
        f"time ({error}, where chance alone would stay below "
        f"{metrics['ece_by_chance']:.3f})."
    )


def _spread(metrics: dict) -> str:
    """What networks that were drawn say, where a model draws some."""
    found = metrics["spread"]
    if not found:
        return ""
    told = f"Its drawn networks spread by {found['all']['value']:.3f} about the "
    told += "probability of the class they name"
    early = "after the first {} epochs"
    for gap, where, *meanings in (
        ("first_above_all", early, "as who knows less should", "though it knows less"),
        ("wrong_above_right", "where it is wrong", "a warning", "no warning"),
    ):
        if gap not in found:
            continue
        where = where.format(min(found["first"], key=int, default=""))
        told += f"; {where} {_than_else(found[gap], metrics, *meanings)}"
    return f"{told}."


def _than_else(gap: dict, metrics: dict, more: str, less: str) -> str:
    by = f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"
    if metrics["num_groups"] < FEW_GROUPS or gap["low"] <= 0 <= gap["high"]:
        return f"not clearly more or less ({by})"
    return f"by more, {more} ({by})" if gap["low"] > 0 else f"by less, {less} ({by})"
