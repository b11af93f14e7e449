"""Summary sentences and cautions, generated from metrics.json."""

from jaxastro.evaluation.bootstrap import FEW_GROUPS
from jaxastro.reports.style import count_text, difference_text, interval_text

BASELINE_NOTES = {
    "boosting": ", which is gradient boosting on features of the same objects",
    "nuisance": ", which uses only the observing conditions",
    "majority": ", which always predicts the most frequent class",
}


def summary_text(metrics: dict) -> str:
    """Returns the summary as one paragraph."""
    return " ".join(sentences(metrics))


def sentences(metrics: dict) -> list[str]:
    """Returns the sentences of the summary; the first one is the score."""
    baselines = sorted(metrics["baselines"], key=baseline_order)
    found = [
        f"Macro F1 {interval_text(metrics['macro_f1'])} on {metrics['num_objects']} "
        f"objects, scored against {metrics['scored_against']}.",
        *(_compare_with_baseline(metrics, name) for name in baselines),
        _hardest_class(metrics),
        _calibration(metrics),
        _uncertainty(metrics),
    ]
    return [sentence for sentence in found if sentence]


def failures(metrics: dict) -> list[str]:
    """Returns a sentence for each sign that training failed, with what to try."""
    found, named = [], metrics["predicted_classes"]
    if len(named) == 1 and _chance(metrics) < 1:
        found.append(
            f"All {metrics['num_objects']} objects are predicted as {next(iter(named))}"
            ": the network has learned nothing. Look at the frames in the report. If "
            "they are nearly constant, the images still hold their sky or have another "
            "unit: set config.representation.normalisation=standard. If not, train "
            "longer (config.num_steps) or with a smaller "
            "config.optimizer.learning_rate."
        )
    elif metrics["balanced_accuracy"]["low"] <= _chance(metrics):
        found.append(
            "The model is not clearly better than chance: balanced accuracy "
            f"{interval_text(metrics['balanced_accuracy'])}, by chance "
            f"{_chance(metrics):.2f}. Train longer (config.num_steps), with another "
            "config.representation.normalisation, or with more labelled objects."
        )
    gap = metrics["above_baselines"].get("boosting", {}).get("macro_f1")
    if gap and gap["high"] < 0:
        found.append(
            "Gradient boosting on features of the same objects is clearly better "
            f"(macro F1 {metrics['baselines']['boosting']['macro_f1']['value']:.2f}). "
            "Use it (jaxastro.runs.train_on_features), or train longer "
            "(config.num_steps) or another network, such as "
            "configs/visit_transformer.py."
        )
    return found


def cautions(metrics: dict) -> list[str]:
    """Returns what to consider before quoting the score."""
    found = failures(metrics)
    if metrics["num_groups"] < FEW_GROUPS:
        groups = count_text(metrics["num_groups"], "independent group")
        found.append(
            f"The objects form only {groups}. Intervals from fewer than {FEW_GROUPS} "
            "groups are too narrow; treat them as lower bounds of the uncertainty."
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
            f"Fewer than 20 objects of class {', '.join(rare)} were scored. A single "
            "object changes the scores of such a class by several points."
        )
    nuisance = metrics["baselines"]["nuisance"]["balanced_accuracy"]
    chance = _chance(metrics)
    if nuisance["low"] > chance:
        found.append(
            "Observing conditions predict the class better than chance: "
            f"balanced accuracy {interval_text(nuisance)} instead of {chance:.2f}. "
            "Judge the model by its difference to the nuisance baseline."
        )
    return found


def _chance(metrics: dict) -> float:
    """Returns the balanced accuracy by chance: 1 / number of classes."""
    return 1 / sum(row["count"] > 0 for row in metrics["per_class"].values())


def is_clearly_above(metrics: dict, name: str) -> bool:
    """Returns whether macro F1 is significantly above that of a baseline.

    The 95% interval of the paired difference is above zero, and there are enough
    groups to estimate it.
    """
    gap = metrics["above_baselines"][name]["macro_f1"]
    return gap["low"] > 0 and metrics["num_groups"] >= FEW_GROUPS


def baseline_order(name: str) -> tuple[bool, bool, str]:
    """Sort key of baselines: others by name, then nuisance, then majority."""
    return name == "majority", name == "nuisance", name


def _compare_with_baseline(metrics: dict, name: str) -> str:
    gap = metrics["above_baselines"][name]["macro_f1"]
    if metrics["num_groups"] < FEW_GROUPS:
        claim = "There are too few groups to compare the model with"
    elif is_clearly_above(metrics, name):
        claim = "The model is clearly above"
    elif gap["high"] < 0:
        claim = "The model is clearly below"
    else:
        claim = "The model is not clearly above"
    score = metrics["baselines"][name]["macro_f1"]["value"]
    return (
        f"{claim} the {name} baseline ({score:.2f}){BASELINE_NOTES.get(name, '')}: "
        f"difference {difference_text(gap)}."
    )


def _hardest_class(metrics: dict) -> str:
    scored = {n: row for n, row in metrics["per_class"].items() if row["count"]}
    if len(scored) < 2:
        return ""
    name = min(scored, key=lambda n: scored[n]["f1"]["value"])
    row = scored[name]
    return (
        f"The class with the lowest F1 is {name}: {interval_text(row['f1'])} for "
        f"{count_text(row['count'], 'object')}."
    )


def _calibration(metrics: dict) -> str:
    confidence, accuracy = metrics["mean_confidence"], metrics["accuracy"]["value"]
    error = (
        f"calibration error {metrics['ece']:.3f}, expected by chance: below "
        f"{metrics['ece_by_chance']:.3f}"
    )
    if metrics["ece"] <= metrics["ece_by_chance"]:
        return f"No miscalibration is detected ({error})."
    if abs(confidence - accuracy) < 0.02:
        return (
            "The model is miscalibrated: over-confident at some confidences, "
            f"under-confident at others ({error})."
        )
    manner = "over-confident" if confidence > accuracy else "under-confident"
    return (
        f"The model is {manner}: mean confidence {confidence:.0%}, accuracy "
        f"{accuracy:.0%} ({error})."
    )


def _uncertainty(metrics: dict) -> str:
    """Spread over sampled networks, for models that sample some."""
    found = metrics["spread"]
    if not found:
        return ""
    text = (
        "The sampled networks differ by a standard deviation of "
        f"{found['all']['value']:.3f} in the probability of the predicted class"
    )
    if "first_above_all" in found:
        first = min(found["first"], key=int, default="")
        gap = _compare_spread(found["first_above_all"], metrics)
        text += f"; after the first {first} epochs it is {gap}"
    if "wrong_above_right" in found:
        gap = _compare_spread(found["wrong_above_right"], metrics)
        text += f"; for misclassified objects it is {gap}"
    return f"{text}."


def _compare_spread(gap: dict, metrics: dict) -> str:
    difference = difference_text(gap, digits=3)
    if metrics["num_groups"] < FEW_GROUPS or gap["low"] <= 0 <= gap["high"]:
        return f"not clearly different ({difference})"
    if gap["low"] > 0:
        return f"larger, as expected ({difference})"
    return f"smaller, contrary to expectation ({difference})"
