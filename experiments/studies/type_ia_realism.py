r"""Do simulated type Ia supernovae have the light curves of real ones?

    python -m experiments.studies.type_ia_realism --manual_dir=FOLDER \
        --pictures=docs/pictures

Each of 1,091 real supernovae of Pantheon+ is compared with a simulated one of the same
redshift, times, bands, errors and time of maximum: colours at maximum, decline,
brightness and signal to noise, measured alike on both.
"""

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet

from data_builders.engine.raw import find_raw
from experiments.studies import command, realism
from jaxastro.simulation import light_curve
from jaxastro.simulation.classes import draw_type_ia
from jaxastro.surveys import SURVEYS
from jaxastro.units import FLUXCAL_ZERO_POINT, flux_of, magnitude_of

SDSS = SURVEYS["sdss_sn_sim"]
WAVELENGTH = dict(zip(SDSS.bands, SDSS.wavelength, strict=True))
FLUXCAL = flux_of(FLUXCAL_ZERO_POINT)  # microjansky of one unit of FLUXCAL
WINDOW = 4.0  # rest-frame days about a phase
MIN_REDSHIFT = 0.01  # below it a peculiar velocity would be taken for a distance
MIN_EPOCHS = 8
LABELS = {
    "g_minus_r": "g − r at maximum",
    "r_minus_i": "r − i at maximum",
    "i_minus_z": "i − z at maximum",
    "decline_g": "decline of g in 15 days, mag",
    "decline_r": "decline of r in 15 days, mag",
    "absolute_r": "r − distance modulus",
    "signal_to_noise": "S/N at maximum in r, log10",
}


def read_objects(manual_dir: str) -> list[dict]:
    """Returns redshift, mjd, band, flux and error (microjansky) of each supernova.

    Epochs outside griz, and supernovae that are too near or have too few epochs, are
    left out; `number` is the place in the catalogue.
    """
    folder = find_raw(
        "",
        survey="snia_photometry",
        manual_dir=Path(manual_dir) if manual_dir else None,
        source="Pantheon+ (github.com/PantheonPlusSH0ES/DataRelease)",
    )
    with (folder / "objects.csv").open(newline="") as file:
        catalogue = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(folder / "photometry.parquet").to_pydict()
    files = np.array(table["file"])
    order = np.argsort(files, kind="stable")
    names, starts = np.unique(files[order], return_index=True)
    rows_of = dict(zip(names, np.split(order, starts[1:]), strict=True))
    arrays = {n: np.array(table[n]) for n in ("mjd", "band", "fluxcal", "fluxcalerr")}
    found = []
    for number, one in enumerate(catalogue):
        rows = rows_of.get(one["file"], np.zeros(0, int))  # some have no photometry
        mjd, band = arrays["mjd"][rows], arrays["band"][rows]
        flux, error = (arrays[n][rows] * FLUXCAL for n in ("fluxcal", "fluxcalerr"))
        good = np.isin(band, [*"griz"]) & np.isfinite(flux) & (error > 0)
        mjd, band, flux, error = (v[good] for v in (mjd, band, flux, error))
        redshift = float(one["z"])
        if redshift > MIN_REDSHIFT and len(mjd) >= MIN_EPOCHS:
            found.append(
                {
                    "number": number,
                    "redshift": redshift,
                    "mjd": mjd,
                    "band": band,
                    "flux": flux,
                    "error": error,
                }
            )
    return found


def simulate_like(real: dict, seed: int) -> dict:
    """Returns a simulated supernova at the redshift and epochs of a real one.

    Its maximum is at the time of the real one's; its other parameters are random.
    """
    mjd, redshift, error = real["mjd"], real["redshift"], real["error"]
    peak = time_of_maximum(mjd, real["flux"], error)
    rng = np.random.default_rng([seed, 9, real["number"]])
    explosion = draw_type_ia(rng, 1)
    wavelength = np.array([WAVELENGTH[name] for name in real["band"]])
    phase = (mjd - peak) / (1 + redshift)
    modulus = light_curve.distance_modulus(redshift) - 2.5 * np.log10(1 + redshift)
    luminosity = light_curve.supernova_luminosity(
        explosion, phase[None], wavelength[None] / (1 + redshift)
    )[0]
    flux = flux_of(np.asarray(explosion.absolute[0] + modulus)) * luminosity
    return real | {"flux": flux + error * rng.normal(size=len(error))}


def time_of_maximum(mjd, flux, error) -> float:
    """Returns where a running weighted mean of the fluxes is highest, MJD."""
    weight = error**-2.0 * np.exp(-0.5 * ((mjd[:, None] - mjd) / WINDOW) ** 2)
    return float(mjd[np.argmax((weight * flux).sum(1) / weight.sum(1))])


def quantities(supernova: dict) -> dict[str, float]:
    """Returns what is compared of one light curve; NaN where nothing was observed."""
    mjd, band, redshift = (supernova[name] for name in ("mjd", "band", "redshift"))
    flux, error = supernova["flux"], supernova["error"]
    phase = (mjd - time_of_maximum(mjd, flux, error)) / (1 + redshift)

    def magnitude(name, day):
        near = (band == name) & (np.abs(phase - day) < WINDOW)
        weight = error[near] ** -2.0
        mean = (weight * flux[near]).sum() / weight.sum() if near.any() else np.nan
        is_detected = near.any() and mean * np.sqrt(weight.sum()) > 5
        return magnitude_of(mean) if is_detected else np.nan

    top = {name: magnitude(name, 0.0) for name in "griz"}
    at_top = (band == "r") & (np.abs(phase) < WINDOW)
    signal = np.median(flux[at_top] / error[at_top]) if at_top.any() else np.nan
    return {
        "g_minus_r": top["g"] - top["r"],
        "r_minus_i": top["r"] - top["i"],
        "i_minus_z": top["i"] - top["z"],
        "decline_g": magnitude("g", 15.0) - top["g"],
        "decline_r": magnitude("r", 15.0) - top["r"],
        "absolute_r": top["r"] - light_curve.distance_modulus(redshift),
        "signal_to_noise": np.log10(max(signal, 0.1)) if signal == signal else np.nan,
    }


def main(given) -> None:
    """Prints the table, or the same as JSON, and draws the picture."""
    real = read_objects(given.manual_dir)
    simulated = [simulate_like(one, given.seed) for one in real]
    samples = realism.compare(map(quantities, real), map(quantities, simulated))
    picture = "type_ia_realism"
    realism.show({"SN Ia": samples}, given, picture=picture, labels=LABELS)


if __name__ == "__main__":
    command.run(main, realism.make_parser(__doc__))
