r"""Turns the predictions of a run into one page to read, pictures and metrics.json.

    python -m experiments.report --workdir=runs/semiconformer

Reads   WORKDIR/predictions/predictions.npz   written by experiments.evaluate
        WORKDIR/config.json                   if there; shown at the end of the page
Writes  WORKDIR/report/index.html             one file; open it, mail it, print it
        WORKDIR/report/metrics.json           the scores, for programs
        WORKDIR/report/*.png, *.csv           every picture and table by itself

No survey, model or accelerator is needed: it runs wherever that folder is.
"""

import json
from pathlib import Path

from absl import flags
from tqdm import tqdm

from jaxastro.commands import command_line
from jaxastro.errors import InputError
from jaxastro.evaluation.predictions import BASELINES, load
from jaxastro.reports import REPORTS, page
from jaxastro.reports.verdict import verdict


def write_report(workdir: Path) -> Path:
    """Writes WORKDIR/report from WORKDIR/predictions, and returns the page's path.

    Raises:
        FileNotFoundError: if there are no predictions yet.
        ValueError: if they are those of a table of many runs, which hold less.
    """
    workdir = Path(workdir)
    predictions = load(workdir / "predictions")
    if absent := set(BASELINES) - set(predictions.baseline_probability):
        raise InputError(
            f"{workdir}/predictions are those of a table: without the baseline "
            f"{absent.pop()} and what else a page shows. Run python -m "
            f"experiments.evaluate --workdir={workdir} first."
        )
    folder = workdir / "report"
    folder.mkdir(parents=True, exist_ok=True)

    paths = []
    with tqdm(REPORTS.items(), desc="report", unit="part", leave=False) as parts:
        for name, write in parts:
            parts.set_postfix_str(name)
            paths += write(predictions, folder)
    page_path = page.write(predictions, folder, paths, _config_of(workdir))

    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    print(verdict(metrics))
    print(f"Report: {page_path}")
    return page_path


def _config_of(workdir: Path) -> dict | None:
    path = workdir / "config.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def main() -> None:
    """Runs the command."""
    write_report(Path(flags.FLAGS.workdir))


if __name__ == "__main__":
    # Here, not above: the training command imports this file and has its own flags.
    flags.DEFINE_string(
        "workdir", None, "Folder of the run, as given to experiments.train."
    )
    command_line.run(main, needs=("workdir",))
