"""ROC and precision-recall curves, one class against the rest."""

from pathlib import Path

import numpy as np
from sklearn import metrics as sklearn_metrics

from jaxastro.evaluation.predictions import Predictions
from jaxastro.reports import style


def write(predictions: Predictions, folder: Path) -> list[Path]:
    """Draws both curves of every class that has positive and negative objects."""
    p = predictions
    figure = style.new_figure(style.WIDTH, 3.9)
    roc_axes, precision_axes, table_axes = figure.subplots(1, 3, width_ratios=[4, 4, 2])
    roc_axes.plot([0, 1], [0, 1], color=style.MUTED, linewidth=1, linestyle=":")
    areas, left_out = [], []
    for index, name in enumerate(p.classes):
        is_class, probability = p.label == index, p.probability[:, index]
        if is_class.all() or not is_class.any():
            left_out.append(name)
            continue
        area = sklearn_metrics.roc_auc_score(is_class, probability)
        average = sklearn_metrics.average_precision_score(is_class, probability)
        areas.append(f"{name} {area:.2f} and {average:.2f}")
        line = style.class_style(index)
        line = {"color": line["color"], "linestyle": line["linestyle"], "lw": 1.8}
        entry = f"{style.display_name(name, 12):<12} {area:.2f}  {average:.2f}"
        _draw_class(roc_axes, precision_axes, is_class, probability, entry, line)
    _label(roc_axes, "ROC", "false positive rate", "true positive rate")
    _label(precision_axes, "Precision-recall", "recall", "precision")
    _draw_table(table_axes, roc_axes)
    caption = (
        "Each curve separates one class from all others by its probability. Left: true "
        "positive rate against false positive rate; the dotted diagonal is random "
        "classification, with an area under the curve (AUC) of 0.5. Right: precision "
        "against recall, with the average precision (AP); dotted lines are the share "
        "of each class, the precision of random classification. For rare classes the "
        "right panel is more informative."
    )
    if left_out:
        caption += f" Left out, because not defined: {', '.join(left_out)}."
    return [
        style.save(
            figure,
            Path(folder) / "roc_curves.png",
            title="ROC and precision-recall curves",
            caption=caption,
            alt="Curves per class; area under ROC and average precision: "
            f"{'; '.join(areas) or 'none'}.",
        )
    ]


def _draw_class(roc_axes, precision_axes, is_class, probability, entry, line) -> None:
    false_rate, true_rate, _ = sklearn_metrics.roc_curve(is_class, probability)
    roc_axes.plot(false_rate, true_rate, label=entry, **line)
    precision, recall, _ = sklearn_metrics.precision_recall_curve(is_class, probability)
    # As steps, so that the area under the curve is the average precision.
    precision_axes.plot(recall, precision, drawstyle="steps-post", **line)
    base_rate = np.mean(is_class)
    precision_axes.axhline(base_rate, color=line["color"], ls=":", lw=1.2)


def _label(axes, title: str, x: str, y: str) -> None:
    style.label_axes(axes, title=title, x=x, y=y)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), aspect="equal")


def _draw_table(axes, roc_axes) -> None:
    """Lists AUC and AP of each class to the right of the panels."""
    axes.set_axis_off()
    handles, labels = roc_axes.get_legend_handles_labels()
    if not handles:
        axes.text(0, 0.5, "no class with\ntwo outcomes", fontsize=style.NORMAL)
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
