"""What each class costs: ROC and precision-recall, one class against the rest."""

from pathlib import Path

import numpy as np
from sklearn import metrics as sklearn_metrics

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws both curves of every class that has objects, and others to tell from."""
    p = predictions
    figure = style.new_figure(style.WIDTH, 4.9)
    roc_axes, precision_axes = figure.subplots(1, 2)
    roc_axes.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1, linestyle=":")
    told, left_out = [], []
    for index, name in enumerate(p.classes):
        is_class, probability = p.label == index, p.probability[:, index]
        if is_class.all() or not is_class.any():
            left_out.append(name)
            continue
        look = style.class_style(index)
        look = {"color": look["color"], "linestyle": look["linestyle"], "lw": 2}
        area = sklearn_metrics.roc_auc_score(is_class, probability)
        average = sklearn_metrics.average_precision_score(is_class, probability)
        told.append(f"{name} {area:.2f} and {average:.2f}")
        shown = style.plain(name, 18)
        false_rate, true_rate, _ = sklearn_metrics.roc_curve(is_class, probability)
        roc_axes.plot(false_rate, true_rate, label=f"{shown}  {area:.2f}", **look)
        precision, recall, _ = sklearn_metrics.precision_recall_curve(
            is_class, probability
        )
        precision_axes.plot(
            # Between two thresholds precision is that of the next one: a step.
            recall,
            precision,
            drawstyle="steps-post",
            label=f"{shown}  {average:.2f}",
            **look,
        )
        base_rate = np.mean(is_class)
        precision_axes.axhline(base_rate, color=look["color"], ls=":", lw=1.2)
    _dress(roc_axes, "ROC", "false positive rate", "true positive rate")
    _dress(precision_axes, "Precision and recall", "recall", "precision")
    _legend(roc_axes, "area under curve", told)
    _legend(precision_axes, "average precision", told)
    note = f" Left out, as nothing can be told apart: {', '.join(left_out)}."
    return [
        style.save(
            figure,
            Path(folder) / "curves.png",
            title="One class against the rest",
            caption=(
                "Sort all objects by the probability of one class and accept more "
                "and more of them. Left: the share of the class found against the "
                "share of the others let in; the dotted diagonal is guessing. Right: "
                "of those accepted, how many are of the class (precision), against "
                "the share of the class found (recall); the dotted line is the "
                "class's share of all objects, which guessing reaches. For a rare "
                "class believe the right panel." + note * bool(left_out)
            ),
            alt="Curves per class; area under ROC and average precision: "
            + ("; ".join(told) or "none")
            + ".",
        )
    ]


def _dress(axes, title: str, x: str, y: str) -> None:
    style.tidy(axes, title=title, x=x, y=y)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")


def _legend(axes, title: str, told: list[str]) -> None:
    if not told:
        axes.text(0.5, 0.5, "no class to tell from another", ha="center")
        return
    is_roc = axes.get_title(loc="left") == "ROC"
    legend = axes.legend(
        title=title,
        loc="lower right" if is_roc else "lower left",
        fontsize=style.SMALL if len(told) <= 8 else 6,
        title_fontsize=style.SMALL,
        framealpha=0.92,
        edgecolor="none",
        alignment="left",
    )
    legend.get_title().set_color(style.MUTED)
