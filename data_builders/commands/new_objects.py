"""New raw objects of the simulated survey, as a stranger would bring them.

    python -m data_builders.commands.new_objects --objects 20 --seed 99 --output new_objects.npz

Apart from the builder, as Python cannot run a module that its package has imported.
"""

import argparse
from pathlib import Path

from data_builders.sdss.sdss_sn_sim import write_raw
from jaxastro.simulation.survey import PRESETS, preset_of, simulate_object


def main(arguments: list[str] | None = None) -> None:
    """Writes new raw objects, as a stranger would bring them."""
    parser = argparse.ArgumentParser(
        prog="python -m data_builders.commands.new_objects",
        description=(
            "Simulate new objects of the supernova survey and write them as raw image "
            "sequences, to try a trained network on. The true class is written too, "
            "as `truth`. Seed 0 makes the objects of the training data: take another."
        ),
        epilog="Example: --objects 20 --seed 99 --output new_objects.npz",
    )
    parser.add_argument(
        "--objects", type=int, default=20, help="how many to make (default: 20)"
    )
    parser.add_argument(
        "--seed", type=int, default=99, help="names the sky they lie in (default: 99)"
    )
    parser.add_argument(
        "--preset",
        default="laptop",
        help=f"how often they are seen: {', '.join(PRESETS)} (default: laptop)",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="the npz file to write"
    )
    given = parser.parse_args(arguments)
    if given.seed < 0:
        parser.error(f"Seed {given.seed}. A seed is a whole number, 0 or more.")
    try:
        preset = preset_of(given.preset)
        records = (
            simulate_object(number, seed=given.seed, preset=preset)
            for number in range(given.objects)
        )
        written = write_raw(given.output, records)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(
            f"{given.output} cannot be written: {error.strerror}. A path in a folder "
            "that exists was expected. Make the folder or choose another."
        )
    print(f"{written} objects of seed {given.seed} written to {given.output}")


if __name__ == "__main__":
    main()
