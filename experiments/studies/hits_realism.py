r"""Do simulated HiTS stamps have the distributions of the real ones?

    python -m experiments.studies.hits_realism --manual_dir=FOLDER \
        --pictures=docs/pictures

Compares, class by class, brightness, amplitude, signal to noise, sky, pixel noise,
seeing and number of epochs, and the area under the ROC curve of a random forest that
separates real from simulated objects by the shapes of their light curves.
"""

import numpy as np
from tqdm import tqdm

from data_builders.hits import hits_sim
from experiments.studies import command, realism
from experiments.studies.hits_forests import read_records, shape_features
from jaxastro.data.series import SeriesRecord
from jaxastro.leakage.two_sample import two_sample_auc
from jaxastro.photometry import aperture_light_curve, border_statistics
from jaxastro.simulation.conditions import measure_star
from jaxastro.simulation.sequence import simulate_sequence
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["hits"]
CLASSES = {  # of the survey -> classes of the simulator, with their shares
    "SN": {"SNIa": 0.6, "SNIbc": 0.12, "SNII": 0.28},
    "EB": {"EB": 1.0},
    "RRLyrae": {"RRLyrae": 1.0},
    "NonVariable": {"NonVariable": 1.0},
}
LABELS = {
    "brightness": "median flux, log10 ADU",
    "amplitude": "range / median, log10",
    "signal_to_noise": "signal to noise, log10",
    "sky": "sky, log10 ADU",
    "pixel_noise": "pixel noise, log10 ADU",
    "seeing": "seeing, arcsec",
    "epochs": "epochs",
}
RADIUS, BORDER = (
    6.0,
    3,
)  # pixels: the aperture, and the frame that the sky is taken from
SEED_OFFSET = 1000  # so that these objects are not those of hits_sim


def quantities(record: SeriesRecord) -> dict[str, float]:
    """Returns what is compared of one object's stamps."""
    flux, error = aperture_light_curve(
        record.flux, record.bad_pixel, radius=RADIUS, border=BORDER
    )
    sky, noise, _ = border_statistics(record.flux, record.bad_pixel, BORDER)
    seeing, _ = measure_star(record, pixel_scale=SURVEY.pixel_scale, border=BORDER)
    low, middle, high = np.nanpercentile(flux, [5, 50, 95])
    return {
        "brightness": np.log10(max(middle, 10.0)),
        "amplitude": np.log10((high - low) / max(middle, 10.0)),
        "signal_to_noise": np.log10(max(np.nanmedian(flux / error), 0.1)),
        "sky": np.log10(np.nanmedian(sky)),
        "pixel_noise": np.log10(np.nanmedian(noise)),
        "seeing": np.nanmedian(seeing),
        "epochs": len(record.mjd),
    }


def simulate(label: str, count: int, logs: dict, *, seed: int) -> list[SeriesRecord]:
    """Returns simulated objects of one class of the survey, each in a random field."""
    rng = np.random.default_rng(seed)
    kinds = CLASSES[label]
    share = np.array(list(kinds.values()))
    records = []
    for number in tqdm(range(count), desc=f"Simulating {label}", unit="object"):
        field = str(rng.choice(list(logs)))
        kind = str(rng.choice(list(kinds), p=share / share.sum()))
        records.append(
            simulate_sequence(
                kind,
                hits_sim.CAMERA,
                logs[field],
                number=number,
                seed=seed + SEED_OFFSET,
                group=field,
            )
        )
    return records


def measure(
    manual_dir: str, *, objects: int, seed: int
) -> tuple[dict[str, realism.Samples], dict[str, float]]:
    """Returns by class the samples, and the forest's area under the ROC curve."""
    logs = hits_sim.read_field_logs(manual_dir)
    records = read_records(manual_dir)
    samples, areas = {}, {}
    for label in CLASSES:
        real = [record for record in records if record.label == label]
        simulated = simulate(label, objects, logs, seed=seed)
        samples[label] = realism.compare(
            map(quantities, real), map(quantities, simulated)
        )
        shapes = [
            np.array([shape_features(record) for record in some])
            for some in (real, simulated)
        ]
        group = [record.group for record in (*real, *simulated)]
        areas[label] = two_sample_auc(*shapes, group=group, seed=seed)
    return samples, areas


def main(given) -> None:
    """Prints the tables, or the same as JSON, and draws the picture."""
    samples, areas = measure(given.manual_dir, objects=given.objects, seed=given.seed)
    realism.show(
        samples, given, picture="hits_realism", labels=LABELS, two_sample_auc=areas
    )
    if not given.json:
        print()
        command.print_table(
            ["class", "area under the ROC curve, real against simulated"],
            [[label, f"{area:.2f}"] for label, area in areas.items()],
        )


if __name__ == "__main__":
    parser = realism.make_parser(__doc__)
    parser.add_argument(
        "--objects", type=int, default=600, help="simulated for each class"
    )
    command.run(main, parser)
