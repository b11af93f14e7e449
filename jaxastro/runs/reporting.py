"""Writes the report of a run: one page, its pictures and metrics.json.

Reads   WORKDIR/predictions/predictions.npz   written by the evaluation
        WORKDIR/config.json                   shown at the end of the page
Writes  WORKDIR/report/index.html             one file; open it, mail it, print it
        WORKDIR/report/metrics.json           the scores, for programs
        WORKDIR/report/*.png, *.csv           every picture and table by itself

No survey, model or accelerator is needed: it runs wherever that folder is.
"""

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from jaxastro.errors import InputError, MissingFileError
from jaxastro.evaluation.predictions import BASELINES, load
from jaxastro.reports import REPORTS, page
from jaxastro.reports.summary import failures, summary_text
from jaxastro.runs.evaluation import scored_split
from jaxastro.runs.spec import CONFIG_FILE, read_spec

METRICS_FILE = "metrics.json"


def write_report(workdir: Path | str) -> Path:
    """Writes WORKDIR/report from WORKDIR/predictions, and returns the page's path.

    Raises:
        MissingFileError: if there are no predictions yet.
        InputError: if they are those of a table of many runs, which hold less.
    """
    workdir = Path(workdir)
    folder = workdir / "report"
    if (workdir / CONFIG_FILE).is_file() and scored_split(read_spec(workdir)) is None:
        return page.write_without_scores(folder, _config_of(workdir))
    predictions = load(workdir / "predictions")
    if absent := set(BASELINES) - set(predictions.baseline_probability):
        raise InputError(
            f"{workdir}/predictions are those of a table: without the baseline "
            f"{absent.pop()} and what else a page shows. Run jaxastro evaluate "
            f"--workdir={workdir} first."
        )
    folder.mkdir(parents=True, exist_ok=True)

    paths = []
    with tqdm(REPORTS.items(), desc="Report", unit="part", leave=False) as parts:
        for name, write in parts:
            parts.set_postfix_str(name)
            paths += write(predictions, folder)
    page_path = page.write(predictions, folder, paths, _config_of(workdir))
    metrics = read_metrics(workdir)
    print(summary_text(metrics))
    for sentence in failures(metrics):
        print(f"Warning: {sentence}")
    print(f"Report: {page_path}")
    return page_path


def read_metrics(workdir: Path | str) -> dict[str, Any]:
    """Returns the scores of a report.

    Raises:
        MissingFileError: if there is no report yet.
    """
    path = Path(workdir) / "report" / METRICS_FILE
    if not path.is_file():
        raise MissingFileError(
            f"No scores at {path}. Write the report first: jaxastro report "
            f"--workdir={workdir}"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def _config_of(workdir: Path) -> dict | None:
    path = workdir / CONFIG_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
