"""What each class costs: ROC and precision-recall, one class against the rest."""

from pathlib import Path

import numpy as np
from sklearn import metrics as sklearn_metrics

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws both curves of every class that has objects, and others to tell from."""
    p = predictions
    figure = style.new_figure(style.WIDTH, 3.9)
    roc_axes, precision_axes, table_axes = figure.subplots(1, 3, width_ratios=[4, 4, 2])
    roc_axes.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1, linestyle=":")
    told, left_out = [], []
    for index, name in enumerate(p.classes):
        is_class, probability = p.label == index, p.probability[:, index]
        if is_class.all() or not is_class.any():
            left_out.append(name)
            continue
        area = sklearn_metrics.roc_auc_score(is_class, probability)
        average = sklearn_metrics.average_precision_score(is_class, probability)
        told.append(f"{name} {area:.2f} and {average:.2f}")
        look = style.class_style(index)
        look = {"color": look["color"], "linestyle": look["linestyle"], "lw": 1.8}
        shown = f"{style.plain(name, 12):<12} {area:.2f}  {average:.2f}"
        _draw_class(roc_axes, precision_axes, is_class, probability, shown, look)
    _dress(roc_axes, "ROC", "false positive rate", "true positive rate")
    _dress(precision_axes, "Precision and recall", "recall", "precision")
    _table(table_axes, roc_axes)
    note = f" Left out, as nothing can be told apart: {', '.join(left_out)}."
    return [
        style.save(
            figure,
            Path(folder) / "curves.png",
            title="One class against the rest",
            caption=(
                "Sort all objects by the probability of one class and accept more "
                "and more of them. Left: the share of the class found against the "
                "share of the others let in; the dotted diagonal is guessing, with an "
                "area below it (AUC) of 0.5. Right: of those accepted, how many "
                "are of the class (precision), against the share of the class found "
                "(recall), with their mean (AP); the dotted line is the class's share "
                "of all objects, which guessing reaches. For a rare class believe the "
                "right panel." + note * bool(left_out)
            ),
            alt="Curves per class; area under ROC and average precision: "
            + ("; ".join(told) or "none")
            + ".",
        )
    ]


def _draw_class(roc_axes, precision_axes, is_class, probability, shown, look) -> None:
    false_rate, true_rate, _ = sklearn_metrics.roc_curve(is_class, probability)
    roc_axes.plot(false_rate, true_rate, label=shown, **look)
    precision, recall, _ = sklearn_metrics.precision_recall_curve(is_class, probability)
    # Steps, and no slopes: then the area below is the average precision.
    precision_axes.plot(recall, precision, drawstyle="steps-post", **look)
    base_rate = np.mean(is_class)
    precision_axes.axhline(base_rate, color=look["color"], ls=":", lw=1.2)


def _dress(axes, title: str, x: str, y: str) -> None:
    style.tidy(axes, title=title, x=x, y=y)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")


def _table(axes, roc_axes) -> None:
    """Lists the classes with both areas, in columns, beside the panels."""
    axes.set_axis_off()
    handles, labels = roc_axes.get_legend_handles_labels()
    if not handles:
        axes.text(0, 0.5, "no class to tell\nfrom another", fontsize=style.NORMAL)
        return
    font = {"family": "monospace", "size": style.SMALL if len(labels) <= 16 else 6.5}
    legend = axes.legend(
        handles,
        labels,
        title=f"{'':<12}  AUC    AP",
        prop=font,
        title_fontproperties=font,
        loc="center left",
        bbox_to_anchor=(-0.15, 0.5),
        frameon=False,
        alignment="right",
        handlelength=1.6,
    )
    legend.get_title().set_color(style.MUTED)
