"""The report as one HTML file: it needs no network and can be mailed as it is."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path

import jinja2
from PIL import Image

from jaxastro.evaluation.predictions import BASELINES, Predictions
from jaxastro.reports import style, verdict
from jaxastro.reports.page_template import TEMPLATE

FILE_NAME = "index.html"
_CSS_PIXELS_PER_INCH = 100  # at which the pictures' type is as large as the page's


def write(
    predictions: Predictions,
    folder: Path,
    paths: Iterable[Path],
    config: dict | None = None,
) -> Path:
    """Writes index.html from what the reports wrote, and returns its path.

    Names of objects come from survey files, which anybody may have written: all text
    is escaped, and the page forbids itself scripts and outside addresses.

    Args:
        paths: what the reports returned; metrics.json is among them. Pictures are
            shown in this order, with the words in their files; the rest is named.
        config: settings of the run, shown folded in.
    """
    folder, paths = Path(folder), [Path(path) for path in paths]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    is_clear = all(verdict.is_clearly_above(metrics, name) for name in BASELINES)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters["interval"] = style.interval_text
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}%"
    text = environment.from_string(TEMPLATE).render(
        title=predictions.title,
        predictions=predictions,
        metrics=metrics,
        tone="clear" if is_clear else "unclear",
        verdict=verdict.sentences(metrics),
        cautions=verdict.cautions(metrics),
        colors=[style.class_style(c)["color"] for c in range(len(predictions.classes))],
        figures=[figure_of(path) for path in paths if path.suffix == ".png"],
        tables=[path.name for path in paths if path.suffix != ".png"],
        config="" if config is None else json.dumps(config, indent=2),
    )
    path = folder / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def figure_of(path: Path) -> dict:
    """Returns a picture with the title, caption and alt text its file carries."""
    with Image.open(path) as image:
        words, (width, height) = image.text, image.size
    return {
        "name": path.stem,
        "title": words.get("Title", path.stem),
        "caption": words.get("Description", ""),
        "alt": words.get("Comment", ""),
        "width": round(width / style.DOTS_PER_INCH * _CSS_PIXELS_PER_INCH),
        "height": round(height / style.DOTS_PER_INCH * _CSS_PIXELS_PER_INCH),
        "data": base64.b64encode(path.read_bytes()).decode("ascii"),
    }
