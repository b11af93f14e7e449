"""Report of one run as a single HTML file that needs no network."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from jaxastro.evaluation.predictions import BASELINES, Predictions
from jaxastro.reports import style, summary
from jaxastro.reports.rendering import render

FILE_NAME = "index.html"
VALIDATION_CAUTION = (
    "This run has no test fold. The scored objects are those of the validation fold, "
    "which also selected the checkpoint, so the scores are slightly too high."
)
_CSS_PIXELS_PER_INCH = 100  # so that text in pictures is as large as on the page


def write(
    predictions: Predictions,
    folder: Path,
    paths: Iterable[Path],
    config: dict | None = None,
) -> Path:
    """Writes index.html from the files of the reports and returns its path.

    Args:
        paths: the files that the reports returned, metrics.json among them. Pictures
            are shown in this order, the other files are listed.
        config: configuration of the run, shown in a collapsed section. Without a test
            fold the page has a caution.
    """
    folder, paths = Path(folder), [Path(path) for path in paths]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    is_clear = all(summary.is_clearly_above(metrics, name) for name in BASELINES)
    figures = [figure_of(path) for path in paths if path.suffix == ".png"]
    sections = [
        ("classes", "Scores per class"),
        *((figure["name"], figure["title"]) for figure in figures),
        ("glossary", "Glossary"),
    ]
    if config is not None:
        sections.append(("config", "Configuration"))
    cautions = summary.cautions(metrics)
    if config and config.get("folds", {}).get("held_out") == "validation":
        cautions.insert(0, VALIDATION_CAUTION)
    text = render(
        "page.html",
        title=predictions.title,
        facts=[
            f"{metrics['num_objects']} objects",
            f"{len(predictions.classes)} classes",
            f"bands {' '.join(predictions.bands)}",
            f"scored against {metrics['scored_against']}",
        ],
        predictions=predictions,
        metrics=metrics,
        tone="clear" if is_clear else "unclear",
        summary=summary.sentences(metrics),
        cautions=cautions,
        sections=sections,
        colors=[style.class_style(c)["color"] for c in range(len(predictions.classes))],
        figures=figures,
        tables=[path.name for path in paths if path.suffix != ".png"],
        config="" if config is None else json.dumps(config, indent=2),
    )
    return _write_text(folder, text)


def write_without_scores(folder: Path, config: dict) -> Path:
    """Writes index.html of a run that trained on all objects, and returns its path.

    Args:
        config: configuration of the run.
    """
    text = render(
        "page_without_scores.html",
        title=f"{config['method']['name']} ({config['model']['name']}) on "
        f"{config['survey']}, all objects, seed {config['seed']}",
        facts=[f"{len(config['classes'])} classes"],
        tone="unclear",
        summary=[
            "This run was trained on all labelled objects.",
            "No object was held out, so there are no scores. To estimate them, train "
            "the same configuration with test folds (folds.held_out="
            "validation_and_test).",
        ],
        cautions=[],
        sections=[("config", "Configuration")],
        figures=[],
        config=json.dumps(config, indent=2),
    )
    return _write_text(Path(folder), text)


def _write_text(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def figure_of(path: Path) -> dict:
    """Returns a picture as base64, with its title, caption and text alternative."""
    with Image.open(path) as image:
        metadata, (width, height) = image.text, image.size
    return {
        "name": path.stem,
        "title": metadata.get("Title", path.stem),
        "caption": metadata.get("Description", ""),
        "alt": metadata.get("Comment", ""),
        "width": round(width / style.DOTS_PER_INCH * _CSS_PIXELS_PER_INCH),
        "height": round(height / style.DOTS_PER_INCH * _CSS_PIXELS_PER_INCH),
        "data": base64.b64encode(path.read_bytes()).decode("ascii"),
    }
