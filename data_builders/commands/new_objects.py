"""Simulate raw objects of the supernova survey, to try a trained run on.

examples:
  python -m data_builders new-objects --objects=20 --output=new_objects.npz
  python -m data_builders new-objects --objects=500 --seed=7 --preset=paper \\
      --output=new_objects.npz

Writes raw image sequences in the format that `sdss_sn_sim` reads. The file also has the
true class of each object, as `truth`. Seed 0 gives the objects of the training data:
use another.
"""

import argparse
from pathlib import Path

from data_builders.commands.arguments import whole_number
from data_builders.sdss.sdss_sn_sim import write_raw
from jaxastro.errors import FileAccessError
from jaxastro.simulation.survey import PRESETS, preset_of, simulate_object


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this sub-command."""
    parser.add_argument(
        "--objects",
        type=whole_number("objects", 1, 10**7),
        default=20,
        help="number of objects (default: 20)",
    )
    parser.add_argument(
        "--seed",
        type=whole_number("seed", 0, 2**63),
        default=99,
        help="seed of the simulation (default: 99)",
    )
    parser.add_argument(
        "--preset",
        default="laptop",
        help=f"number of visits: {', '.join(PRESETS)} (default: laptop)",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE.npz", help="file to write"
    )


def run(options: argparse.Namespace) -> int:
    """Writes the objects and prints how many."""
    preset = preset_of(options.preset)
    records = (
        simulate_object(number, seed=options.seed, preset=preset)
        for number in range(options.objects)
    )
    try:
        written = write_raw(options.output, records)
    except OSError as error:
        raise FileAccessError(
            f"{options.output} cannot be written: {error.strerror}. A path in an "
            "existing folder is expected. Make the folder or choose another."
        ) from error
    print(f"{written} objects of seed {options.seed} written to {options.output}")
    return 0
