"""Light curves per second of each representation, on one core.

    python -m benchmarks.representations --manual_dir=FOLDER [--stars 20000]

Measured on simulated light curves of stars of the ZTF catalogue, with its numbers of
epochs in g and r (data_builders/ztf/ztf_periodic_sim.py). For dm-dt maps also: pairs of
points per second, and minutes for the catalogue, with as many pairs per star. The
period search is measured on a few stars only.
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks import result
from data_builders.ztf import ztf_periodic
from data_builders.ztf.ztf_periodic_clean import clean
from data_builders.ztf.ztf_periodic_sim import epochs_of
from data_builders.ztf.ztf_periodic_table import numbers_of, rows_of
from jaxastro.data.light_curve import LightCurveRecord, make_light_curve_record
from jaxastro.representations import dmdt, folded, light_curve
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["ztf_periodic"]
CASES = (  # name, representation, normalisation, whether the catalogue gives the period
    ("light curves", light_curve, "asinh", True),
    ("dm-dt maps", dmdt, "share", True),
    ("folded, from the catalogue", folded, "harmonic", True),
    ("folded, fitted", folded, "fitted", True),
    ("folded, fitted, period searched", folded, "fitted", False),
)
MAX_EPOCHS = 1000  # of a band
FEW = 50  # stars whose period is searched, and that statistics are fitted to
IN_CATALOGUE = 781_602  # stars


def make_stars(catalogue: Path, count: int, *, seed: int) -> list[LightCurveRecord]:
    """Returns simulated light curves of random stars of the clean catalogue."""
    lines, _ = clean(catalogue)
    rows = [row for number, row in rows_of(catalogue) if number in lines]
    generator = np.random.default_rng(seed)
    found = []
    for i in tqdm(generator.integers(0, len(rows), count), desc="Stars", unit="star"):
        star = numbers_of(rows[i])
        epochs = [epoch[3:6] + epoch[7:] for epoch in epochs_of(star, generator)]
        mjd, magnitude, error = np.array([epoch[:3] for epoch in epochs], float).T
        record, _ = make_light_curve_record(
            f"{len(found)}",
            SURVEY,
            **ztf_periodic.in_microjansky(magnitude, error),
            mjd=mjd,
            band=[ztf_periodic.BAND_OF[code] for *_, code in epochs],
            features={name: star[name] for name, _ in SURVEY.columns},
        )
        found.append(record)
    return found


def pairs_of(record: LightCurveRecord) -> float:
    """Returns the number of pairs of points of one band in a light curve."""
    count = np.bincount(record.band[record.flux > 0], minlength=len(SURVEY.bands))
    return float((count * (count - 1) / 2).sum())


def measure(stars: list[LightCurveRecord], case: tuple, repeats: int) -> result.Row:
    """Returns the row of one representation."""
    name, representation, normalisation, knows_period = case
    if not knows_period:
        stars = [
            star._replace(features=np.full_like(star.features, np.nan))
            for star in stars[:FEW]
        ]
    statistics = representation.fit_statistics(
        stars[:FEW], normalisation=normalisation, survey=SURVEY
    )

    def run() -> None:
        for star in stars:
            representation.make_example(
                star,
                max_epochs=MAX_EPOCHS,
                normalisation=normalisation,
                statistics=statistics,
            )

    seconds = result.seconds_of(run, repeats)
    measures = {"stars/s": result.rate_of(seconds, len(stars))}
    if representation is dmdt:
        pairs = sum(map(pairs_of, stars))
        measures["pairs/s"] = result.rate_of(seconds, pairs)
        minutes = IN_CATALOGUE / len(stars) / 60
        measures["minutes for the catalogue"] = result.scaled(seconds, minutes)
    return result.Row({"representation": name, "stars": len(stars)}, measures)


def main() -> None:
    """Runs the command."""
    parser = result.parser_of(__doc__, repeats=3)
    parser.add_argument("--manual_dir", type=Path, help="folder of the raw catalogue")
    parser.add_argument("--stars", type=int, default=20_000)
    given = parser.parse_args()
    stars = make_stars(
        ztf_periodic.find_catalogue(given.manual_dir), given.stars, seed=0
    )
    rows = [measure(stars, case, given.repeats) for case in tqdm(CASES, unit="case")]
    pairs = np.mean([pairs_of(star) for star in stars])
    about = {"pairs per star": f"{pairs:,.0f}"}
    result.show(rows, as_json=given.json, about=about)


if __name__ == "__main__":
    main()
