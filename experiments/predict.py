"""Classifies new raw objects with the best state of a run.

    python -m experiments.predict --workdir=runs/hits --input=new.npz --output=new.csv

The run knows its survey, normalisation and classes; the input is of the raw form that
the survey's builder reads. The output has one line per object: its name, the class
predicted, and a probability for each class. Objects that cannot be read are named in
a file beside it.
"""

import csv
import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from absl import flags
from tqdm import tqdm

from data_builders import READERS
from data_builders.engine.readings import records_of
from experiments import assemble, command
from experiments.evaluate import load_predictor, mesh_for, softmax
from jaxastro.data.record import Reading
from jaxastro.data.spreadsheet import shown_cell
from jaxastro.surveys import Survey
from jaxastro.training import sharding
from jaxastro.types import Series

FLAGS = flags.FLAGS
BATCH_SIZE = 64  # objects classified at once; the last batch is filled up


def predict(workdir: Path, raw: Path, output: Path, *, report: Path) -> int:
    """Writes the predictions of a raw file's objects; returns how many there were.

    Raises:
        ValueError: if none of them can be read, or output is no file.
    """
    if output.exists() and not output.is_file():
        raise ValueError(f"{output} is no file. Give the path of a CSV file to write.")
    config = assemble.read_config(workdir)
    survey = assemble.survey_of_config(config)
    mesh = mesh_for(config)
    predict_fn = load_predictor(workdir, config, mesh)
    make_series = assemble.series_of_config(config, max_epochs=config.data.max_epochs)
    size = -(-BATCH_SIZE // mesh.size) * mesh.size

    header = [f"p_{name}" for name in config.classes]
    lines = [["object_id", "predicted", *header]]
    records = records_of(readings_of(config, survey, raw), report=report)
    records = iter(tqdm(records, unit="object"))
    while batch := list(itertools.islice(records, size)):
        rows = [make_series(record) for record in batch]
        rows += rows[-1:] * (size - len(rows))
        inputs = Series(*(np.stack(column) for column in zip(*rows, strict=True)))
        logits = predict_fn(sharding.put_batch(inputs, mesh)).logits
        probability = softmax(np.asarray(logits))
        for record, p in zip(batch, probability, strict=False):
            best = config.classes[int(p.argmax())]
            name = shown_cell(record.object_id)
            lines.append([name, shown_cell(best), *(f"{x:.6f}" for x in p)])

    partial = output.with_name(output.name + ".partial")
    with partial.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    partial.replace(output)  # whole or not at all
    return len(lines) - 1


def readings_of(config, survey: Survey, raw: Path) -> Iterable[Reading]:
    """Returns what the survey's reader finds in a raw file or folder."""
    read = READERS[config.survey.partition("/")[0]]
    # A reader of many surveys is told which: the bands' numbers are the survey's.
    return read(raw, survey) if config.facts else read(raw)


def main() -> None:
    """Runs the command."""
    output = Path(FLAGS.output)
    report = output.with_name(output.name + ".set_aside.json")
    count = predict(Path(FLAGS.workdir), Path(FLAGS.input), output, report=report)
    print(f"{count} objects classified: {output}")
    print(f"Objects set aside, and what was mended: {report}")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "Folder of a run that has been trained.")
    flags.DEFINE_string("input", None, "Raw file of new objects, as the survey has.")
    flags.DEFINE_string("output", None, "CSV file to write.")
    command.run(main, needs=("workdir", "input", "output"))
