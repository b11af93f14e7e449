"""Label leakage: the AUC of each nuisance feature group, compared with chance."""

from pathlib import Path

from jaxastro.evaluation.bootstrap import Interval
from jaxastro.leakage.leak_test import Finding
from jaxastro.leakage.nuisance_groups import ONE_EPOCH
from jaxastro.reports import style


def draw_leakage(data_sets: dict[str, dict[str, Finding]], path: Path) -> Path:
    """Writes a picture with one panel per data set and returns its path.

    Args:
        data_sets: data set -> feature group -> result of the leak test.
    """
    rows = max(map(len, data_sets.values()), default=0)
    figure = style.new_figure(style.WIDTH, len(data_sets) * (1.2 + 0.28 * rows))
    panels = figure.subplots(len(data_sets), 1, squeeze=False)[:, 0]
    for axes, (name, findings) in zip(panels, data_sets.items(), strict=True):
        _draw(axes, findings)
        title = style.display_name(name, 60)
        style.label_axes(axes, title=title, x="AUC, chance is 0.5", grid="x")
    largest = {
        name: max(findings, key=lambda group: findings[group].auc.value)
        for name, findings in data_sets.items()
        if findings
    }
    return style.save(
        figure,
        Path(path),
        title="Leakage baseline",
        caption=(
            "Area under the ROC curve (one class against the rest, mean over classes) "
            "of a random forest on one group of nuisance features, tested on groups "
            "of objects that were not in training. Bars are 95% intervals from "
            "resampled groups; grey areas are what shuffled labels reach. Orange: the "
            "features leak the label. A single epoch shows the object itself, so it "
            "may predict the class."
        ),
        alt="; ".join(
            f"{name}: largest AUC from {group}" for name, group in largest.items()
        ),
    )


def _draw(axes, findings: dict[str, Finding]) -> None:
    for row, (group, finding) in enumerate(findings.items()):
        auc: Interval = finding.auc
        chance = (1 - finding.chance_auc, finding.chance_auc)
        rows = [row - 0.4, row + 0.4]
        axes.fill_betweenx(rows, *chance, color=style.GRID, linewidth=0)
        color = _color(group, finding)
        axes.plot([auc.low, auc.high], [row, row], color=color, linewidth=4, alpha=0.4)
        axes.plot(auc.value, row, "o", color=color)
    axes.axvline(0.5, color=style.MUTED, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(findings)), list(findings))
    axes.set_ylim(len(findings) - 0.5, -0.5)
    axes.set_xlim(0.3, 1.02)


def _color(group: str, finding: Finding) -> str:
    if group == ONE_EPOCH:
        return style.MUTED
    return style.INCORRECT if finding.is_leak else style.CORRECT
