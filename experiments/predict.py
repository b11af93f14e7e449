"""Classifies new raw objects with the best state of a run.

    python -m experiments.predict --workdir=runs/hits --input=new.npz --output=new.csv

The run knows its survey, normalisation and classes; the input is of the raw form that
the survey's builder reads. The output has one line per object: its name, the class
predicted, and a probability for each class; of a model that draws networks also the
spread of each over them, spread_CLASS. Objects that cannot be read are named in a file
beside it. Lines are written as they come, to OUTPUT.partial until the last.
"""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

from absl import flags
from tqdm import tqdm

from data_builders import READERS
from data_builders.engine.readings import records_of
from experiments import assemble, command, compilation
from experiments.inference import Output, load_predictor, mesh_for, predict_examples
from jaxastro.data.record import Reading, Record, RecordError
from jaxastro.data.spreadsheet import shown_cell
from jaxastro.surveys import SURVEYS

FLAGS = flags.FLAGS
BATCHES_AT_ONCE = 8  # are read, then sorted by length, so that like goes with like


def predict(workdir: Path, raw: Path, output: Path, *, report: Path) -> int:
    """Writes the predictions of a raw file's objects; returns how many there were.

    Raises:
        ValueError: if none of them can be read, or output is no file.
    """
    if output.exists() and not output.is_file():
        raise ValueError(f"{output} is no file. Give the path of a CSV file to write.")
    config = assemble.read_config(workdir)
    predictor, state = load_predictor(workdir, config, mesh_for(config))
    make_example = assemble.example_of_config(config, max_epochs=config.data.max_epochs)

    records = records_of(readings_of(config, raw), report=report)
    records = iter(tqdm(records, unit="object"))
    window = predictor.batch_size * BATCHES_AT_ONCE
    partial, count = output.with_name(output.name + ".partial"), 0
    try:
        with partial.open("w", newline="") as file:
            table = csv.writer(file)
            while some := list(itertools.islice(records, window)):
                series = [make_example(record) for record in some]
                said = predict_examples(predictor, state, series)
                if not count:
                    table.writerow(header_of(said, config.classes))
                columns = zip(some, said.probability, said.spread, strict=True)
                for record, p, spread in columns:
                    table.writerow(line_of(record, p, spread, config.classes))
                file.flush()  # who follows the file sees whole lines
                count += len(some)
        partial.replace(output)  # whole or not at all
    finally:
        partial.unlink(missing_ok=True)
    return count


def header_of(said: Output, classes: tuple[str, ...]) -> list[str]:
    """Returns the names of the columns, spreads only of a model that has them."""
    kinds = ("p", "spread") if said.spread.size else ("p",)
    return ["object_id", "predicted", *(f"{k}_{c}" for k in kinds for c in classes)]


def line_of(record: Record, probability, spread, classes: tuple[str, ...]) -> list:
    """Returns an object's line of the table."""
    best = classes[int(probability.argmax())]
    name = shown_cell(record.object_id)
    return [name, shown_cell(best), *(f"{p:.6f}" for p in (*probability, *spread))]


def readings_of(config, raw: Path) -> Iterator[Reading]:
    """Yields what the survey's reader finds in a raw file or folder.

    An object that was not seen in the config's bands is set aside; so is one that was
    not seen at all, unless the model reads its catalogue.
    """
    name, survey = config.survey.partition("/")[0], assemble.whole_survey(config)
    # A reader of many surveys is told which: the bands' numbers are the survey's.
    is_told = survey != SURVEYS[name]
    found = READERS[name](raw, survey) if is_told else READERS[name](raw)
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
    compilation.keep_programs()
    output = Path(FLAGS.output)
    report = output.with_name(output.name + ".set_aside.json")
    count = predict(Path(FLAGS.workdir), Path(FLAGS.input), output, report=report)
    print(f"{count} objects classified: {output}")
    print(f"Objects set aside, and what was mended: {report}")


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "Folder of a run that has been trained.")
    flags.DEFINE_string("input", None, "Raw file of new objects, as the survey has.")
    flags.DEFINE_string("output", None, "CSV file to write.")
    flags.declare_key_flag("compilation_cache")
    command.run(main, needs=("workdir", "input", "output"))
