"""Bars of what each clue tells of the labels, against chance."""

from pathlib import Path

from jaxastro.evaluation.bootstrap import Interval
from jaxastro.leakage.leak_test import Finding
from jaxastro.leakage.nuisance_groups import ONE_EPOCH
from jaxastro.reports import style


def draw_leaks(data_sets: dict[str, dict[str, Finding]], path: Path) -> Path:
    """Writes a picture with a panel per data set and returns its path.

    Args:
        data_sets: name of the data set -> clue -> what it tells.
    """
    rows = max(map(len, data_sets.values()), default=0)
    figure = style.new_figure(style.WIDTH, len(data_sets) * (1.2 + 0.28 * rows))
    panels = figure.subplots(len(data_sets), 1, squeeze=False)[:, 0]
    for axes, (name, findings) in zip(panels, data_sets.items(), strict=True):
        _draw(axes, findings)
        style.tidy(axes, title=style.plain(name, 60), x="AUC, chance is 0.5", grid="x")
    worst = {
        name: max(findings, key=lambda clue: findings[clue].auc.value)
        for name, findings in data_sets.items()
        if findings
    }
    return style.save(
        figure,
        Path(path),
        title="Can the label be told without looking?",
        caption=(
            "Area under the ROC curve, mean over the classes, of a random forest that "
            "sees nothing but one clue, on groups it never saw; 95% intervals "
            "resample groups. Grey: what shuffled labels reach. Orange: a leak. "
            "A single epoch may well tell the class."
        ),
        alt="; ".join(f"{name}: {clue} tells most" for name, clue in worst.items()),
    )


def _draw(axes, findings: dict[str, Finding]) -> None:
    for row, (clue, finding) in enumerate(findings.items()):
        leaks = finding.is_leak and clue != ONE_EPOCH
        auc: Interval = finding.auc
        axes.fill_betweenx(
            [row - 0.4, row + 0.4],
            1 - finding.by_chance,
            finding.by_chance,
            color=style.GRID,
            linewidth=0,
        )
        colour = (
            style.MUTED if clue == ONE_EPOCH else style.WRONG if leaks else style.RIGHT
        )
        axes.plot([auc.low, auc.high], [row, row], color=colour, linewidth=4, alpha=0.4)
        axes.plot(auc.value, row, "o", color=colour)
    axes.axvline(0.5, color=style.MUTED, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(findings)), list(findings))
    axes.set_ylim(len(findings) - 0.5, -0.5)
    axes.set_xlim(0.3, 1.02)
