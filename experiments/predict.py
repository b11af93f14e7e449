"""Classifies new raw objects with the best state of a run.

    python -m experiments.predict --workdir=runs/hits --input=new.npz --output=new.csv
    python -m experiments.predict --workdir=runs/stamps --input=night.tar.gz \
        --output=night.parquet --each_alert

The run knows its survey, normalisation and classes; the input is of the raw form that
the survey's builder reads. The output has one row per object: its name, the class
predicted, and a probability for each class; of a model that draws networks also the
spread of each over them, spread_CLASS. Where the run has a hierarchy, what lies above
its classes has a probability too, the sum of theirs, and each level above them a name
that is most probable: predicted_level1 at the coarsest. It is CSV, Parquet or Avro, by
its name. Objects that cannot be read are named in a file beside it. Rows are written as
they come, to OUTPUT.partial until the last.

With --each_alert there is a row for each alert of a night, by itself, as it comes: of a
file, a folder, a tar or, with --input=-, of standard input; memory holds a few batches.
"""

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags
from tqdm import tqdm

from data_builders.engine.readings import records_of
from data_builders.registry import ALERT_READERS, alert_reader_of, reader_of
from jaxastro.commands import command_line
from jaxastro.data.hierarchy import levels_of, node_probabilities, nodes_of
from jaxastro.data.record import Reading, Record
from jaxastro.errors import InputError, RecordError
from jaxastro.runs import assemble, compilation_cache
from jaxastro.runs.prediction_table import Row, prediction_file
from jaxastro.runs.predictor import load_predictor, mesh_for, predict_examples
from jaxastro.surveys import SURVEYS
from jaxastro.types import Inputs

FLAGS = flags.FLAGS
BATCHES_AT_ONCE = 8  # are read, then sorted by length, so that like goes with like


def predict(
    workdir: Path,
    raw: Path,
    output: Path,
    *,
    report: Path,
    each_alert: bool = False,
) -> int:
    """Writes the predictions of a raw file's objects; returns how many there were.

    Args:
        each_alert: a row for each alert, not for each object.
    Raises:
        ValueError: if none of them can be read, or output is no file.
    """
    config = assemble.read_config(workdir)
    classes = tuple(config.classes)
    names = names_of(classes, nodes_of(classes, config.hierarchy))
    with prediction_file(output) as write:
        readings = (alerts_of if each_alert else readings_of)(config, raw)
        predictor, state = load_predictor(workdir, config, mesh_for(config))
        make_example = assemble.example_of_config(
            config, max_epochs=config.representation.max_epochs
        )
        records = records_of(readings, report=report)
        records = iter(tqdm(records, unit="alert" if each_alert else "object"))
        window, count = predictor.batch_size * BATCHES_AT_ONCE, 0

        def read_some() -> tuple[list[Record], list[Inputs]]:
            some = list(itertools.islice(records, window))
            return some, [make_example(record) for record in some]

        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(read_some)
            while (found := ahead.result())[0]:
                ahead = reader.submit(read_some)  # while these are classified
                some, examples = found
                said = predict_examples(predictor, state, examples)
                columns = zip(some, said.probability, said.spread, strict=True)
                write([row_of(*one, names, each_alert=each_alert) for one in columns])
                count += len(some)
    return count


class Names(NamedTuple):
    """What rows name: the classes and, by [c] bool, what lies above them."""

    classes: tuple[str, ...]
    nodes: dict[str, np.ndarray]
    levels: list[dict[str, np.ndarray]]  # above the classes, the coarsest first


def names_of(classes: tuple[str, ...], nodes: dict[str, np.ndarray]) -> Names:
    """Returns what rows name, of nodes as nodes_of gives them."""
    return Names(classes, nodes, levels_of(classes, nodes)[:-1])


def row_of(
    record: Record,
    probability: np.ndarray,
    spread: np.ndarray,
    names: Names,
    *,
    each_alert: bool = False,
) -> Row:
    """Returns an object's row; spreads only of a model that has them."""
    row = {"object_id": record.object_id}
    if each_alert:
        row |= {"alert_id": int(record.alert_id[-1]), "mjd": float(record.mjd[-1])}
    classes, nodes, levels = names
    row["predicted"] = classes[int(probability.argmax())]
    for number, level in enumerate(levels, start=1):
        sums = node_probabilities(probability[None], level)[0]
        row[f"predicted_level{number}"] = list(level)[int(sums.argmax())]
    for name, numbers, of in (
        ("probability", probability, classes),
        ("hierarchy", node_probabilities(probability[None], nodes)[0], nodes),
        ("spread", spread, classes),
    ):
        if numbers.size:
            row[name] = dict(zip(of, map(float, numbers), strict=True))
    return row


def alerts_of(config, raw: Path) -> Iterator[Reading]:
    """Returns what the survey's reader finds of single alerts, "-" is standard input.

    Raises:
        ValueError: if the survey is not one of alerts that come one by one.
    """
    name = config.survey.partition("/")[0]
    if name not in ALERT_READERS:
        raise InputError(
            f"--each_alert, but the run is of {name}. It is for runs on "
            f"{', '.join(ALERT_READERS)}. Leave it out."
        )
    stream = sys.stdin.buffer if str(raw) == "-" else None
    return alert_reader_of(name)(raw, stream)


def readings_of(config, raw: Path) -> Iterator[Reading]:
    """Yields what the survey's reader finds in a raw file or folder.

    An object that was not seen in the config's bands is set aside; so is one that was
    not seen at all, unless the model reads its catalogue.
    """
    name, survey = config.survey.partition("/")[0], assemble.whole_survey(config)
    # A reader of many surveys is told which: the bands' numbers are the survey's.
    is_told = survey != SURVEYS[name]
    read = reader_of(name)
    found = read(raw, survey) if is_told else read(raw)
    in_bands = assemble.record_of_config(config)
    for reading in found:
        try:
            if reading.record is not None:
                _check_seen(in_bands(reading.record), config)
        except RecordError as error:
            reading = reading._replace(record=None, notes=(str(error),))
        yield reading


def _check_seen(record: tuple, config) -> None:
    if (
        record.OF_EPOCHS
        and not len(record.mjd)
        and not assemble.reads_catalogue(config)
    ):
        raise RecordError(
            f"Object {record.object_id}: no epoch, and the run's model reads no "
            "catalogue. Remove the object, or train with model.args.features=True."
        )


def main() -> None:
    """Runs the command."""
    compilation_cache.keep_programs()
    output = Path(FLAGS.output)
    report = output.with_name(output.name + ".set_aside.json")
    count = predict(
        *(Path(FLAGS.workdir), Path(FLAGS.input), output),
        report=report,
        each_alert=FLAGS.each_alert,
    )
    print(f"{count} {'alert' if FLAGS.each_alert else 'object'}s classified: {output}")
    print(f"Set aside, and what was mended: {report}")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "Folder of a run that has been trained.")
    flags.DEFINE_string("input", None, "Raw file of new objects, as the survey has.")
    flags.DEFINE_string("output", None, "File to write: .csv, .parquet or .avro.")
    flags.DEFINE_bool("each_alert", False, "A row for each alert, as they come.")
    flags.declare_key_flag("compilation_cache")
    command_line.run(main, needs=("workdir", "input", "output"))
