"""Objects a second that one process reads, ready for a device.

    python -m benchmarks.loader [--config configs/convention.py:laptop] [--json]

The training batches of a config, without the training: records from array_record,
decoded, normalised, cut to size, stacked; first with one thread, then with more. The
median over the repeats, with the slowest and the fastest.
"""

import argparse
import json
import runpy
import statistics
import time

from experiments import assemble
from experiments.dataset import measure_statistics, open_dataset
from jaxastro.data.loader import Batches


def measure(config, dataset, num_threads: int, num_batches: int, repeats: int) -> dict:
    """Returns the rate at which batches come with some threads."""
    rows = dataset.rows["train"]
    batches = Batches(
        dataset.source,
        lambda position: int(rows[position * 7919 % len(rows)]),
        assemble.series_of_config(config, max_epochs=config.data.loaded_epochs),
        config.classes,
        batch_size=config.batch_size,
        num_batches=num_batches + 1,
        num_threads=num_threads,
    )
    rates = []
    for _ in range(repeats):
        stream = batches.since(0)
        next(stream)  # the first also fills the queue
        start = time.perf_counter()
        count = sum(len(batch.label) for batch in stream)
        rates.append(count / (time.perf_counter() - start))
    frames = config.data.loaded_epochs
    return {
        "threads": num_threads,
        "objects_per_second": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
        "mebibytes_per_object": frames * batch_pixels(config) * 4 / 2**20,
    }


def batch_pixels(config) -> int:
    """Returns the pixels of a frame."""
    return assemble.survey_of_config(config).image_size ** 2


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="configs/convention.py:laptop")
    parser.add_argument("--data_dir", default="")
    parser.add_argument("--manual_dir", default="")
    parser.add_argument("--batches", type=int, default=60, help="read per repeat")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    given = parser.parse_args()
    path, _, preset = given.config.partition(":")
    config = runpy.run_path(path)["get_config"](preset)
    folders = {"data_dir": given.data_dir, "manual_dir": given.manual_dir}
    dataset = open_dataset(config, **folders)
    survey = assemble.survey_of_config(config)
    config.data.statistics.update(measure_statistics(dataset, config, survey))
    rows = [
        measure(config, dataset, threads, given.batches, given.repeats)
        for threads in given.threads
    ]
    if given.json:
        print(json.dumps(rows))
        return
    print("| threads | objects/s (slowest to fastest) | MiB an object |\n|---|---|---|")
    for row in rows:
        print(
            "| {threads} | {objects_per_second:.0f} ({slowest:.0f} to {fastest:.0f}) "
            "| {mebibytes_per_object:.2f} |".format(**row)
        )


if __name__ == "__main__":
    main()
