"""Epochs per second of photometry on one core.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.photometry [--json]

Lone stars, and supernovae on hosts whose steady light is subtracted, in simulated
images. Rates are per second of processor time, which other programs hardly affect; a
second thread of BLAS would count as well. Accuracy: experiments/studies/photometry.py.
"""

import time
from collections.abc import Callable

import numpy as np

from benchmarks import result
from experiments.studies.photometry import DRIFT, RADIUS, subtractions
from experiments.studies.simulated_frames import make_frames, make_supernova
from jaxastro.photometry import aperture_light_curve, psf_photometry


def rate_of(run: Callable[[], object], epochs: int, repeats: int) -> result.Spread:
    """Returns epochs per second of processor time."""
    rates = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        rates.append(epochs / (time.process_time() - start))
    return result.spread_of(rates)


def measure_stars(epochs: int, repeats: int) -> list[result.Row]:
    """Returns the rates of the methods that need no steady light, on lone stars."""
    rng = np.random.default_rng([0, 3])
    frames, _ = make_frames([], np.full(epochs, 100.0), rng)
    pixels = frames["flux"], frames["bad_pixel"]
    methods = {
        "aperture": lambda: aperture_light_curve(*pixels, radius=RADIUS),
        "psf": lambda: psf_photometry(**frames),
        "psf, drift": lambda: psf_photometry(**frames, drift=DRIFT),
        "psf, find_centre": lambda: psf_photometry(**frames, find_centre=True),
        "psf, fit_fwhm": lambda: psf_photometry(**frames, fit_fwhm=True),
    }
    return [
        result.Row({"lone stars": name}, {"epochs/s": rate_of(run, epochs, repeats)})
        for name, run in methods.items()
    ]


def measure_supernovae(count: int, repeats: int) -> list[result.Row]:
    """Returns the rates of the ways to subtract the host of a supernova."""
    objects = [make_supernova(number, seed=0) for number in range(count)]
    before = objects[0][1] == 0
    rows = []
    for name, measure in subtractions(before).items():

        def run(measure=measure) -> None:
            for frames, _ in objects:
                measure(frames)

        rate = rate_of(run, count * len(before), repeats)
        rows.append(result.Row({"supernovae": name}, {"epochs/s": rate}))
    return rows


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=5)
    parser.add_argument("--epochs", type=int, default=2000, help="of lone stars")
    parser.add_argument("--supernovae", type=int, default=20, help="on hosts")
    given = parser.parse_args()
    rows = [
        *measure_stars(given.epochs, given.repeats),
        *measure_supernovae(given.supernovae, given.repeats),
    ]
    result.show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
