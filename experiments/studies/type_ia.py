"""Real type Ia light curves, and a simulated twin for each: what realism compares."""

from pathlib import Path

import numpy as np
import pyarrow.parquet

from jaxastro.simulation import light_curve
from jaxastro.simulation.classes import draw_type_ia
from jaxastro.surveys import SURVEYS
from jaxastro.units import FLUXCAL_ZERO_POINT, flux_of, magnitude_of

SDSS = SURVEYS["sdss_sn_sim"]
WAVELENGTH = dict(zip(SDSS.bands, SDSS.wavelength, strict=True))
FLUXCAL = flux_of(FLUXCAL_ZERO_POINT)  # one unit of it, microjansky
WINDOW = 4.0  # rest-frame days about a phase
LABELS = {
    "g_minus_r": "g − r at maximum",
    "r_minus_i": "r − i at maximum",
    "i_minus_z": "i − z at maximum",
    "decline_g": "decline of g in 15 days, mag",
    "decline_r": "decline of r in 15 days, mag",
    "absolute_r": "r − distance modulus",
    "signal_to_noise": "S/N at maximum in r, log10",
}


def pairs_of_curves(objects: list[dict], photometry: Path, seed: int):
    """Returns columns of quantities of the real objects, and of their twins.

    A twin has the redshift, the times, the bands and the errors of a real object; its
    maximum is where the real one's is, its other parameters are drawn.
    """
    table = pyarrow.parquet.read_table(photometry).to_pydict()
    files = np.array(table["file"])
    order = np.argsort(files, kind="stable")
    names, starts = np.unique(files[order], return_index=True)
    rows_of = dict(zip(names, np.split(order, starts[1:]), strict=True))
    arrays = {n: np.array(table[n]) for n in ("mjd", "band", "fluxcal", "fluxcalerr")}
    real, made = [], []
    for number, one in enumerate(objects):
        rows = rows_of.get(one["file"], np.zeros(0, int))  # some have no photometry
        mjd, band = arrays["mjd"][rows], arrays["band"][rows]
        flux, error = (arrays[n][rows] * FLUXCAL for n in ("fluxcal", "fluxcalerr"))
        good = np.isin(band, [*"griz"]) & np.isfinite(flux) & (error > 0)
        mjd, band, flux, error = (v[good] for v in (mjd, band, flux, error))
        redshift = float(one["z"])
        if not redshift > 0.01 or len(mjd) < 8:
            continue  # a peculiar velocity would pass for a distance
        peak = time_of_maximum(mjd, flux, error)
        rng = np.random.default_rng([seed, 9, number])
        twin = simulate_twin(rng, mjd, band, redshift, peak)
        twin = twin + error * rng.normal(size=len(error))
        real.append(measure(mjd, band, flux, error, redshift))
        made.append(measure(mjd, band, twin, error, redshift))
    return tuple({n: [row[n] for row in rows] for n in LABELS} for rows in (real, made))


def simulate_twin(rng, mjd, band, redshift: float, peak: float) -> np.ndarray:
    """Returns the fluxes of one drawn type Ia supernova, microjansky."""
    explosion = draw_type_ia(rng, 1)
    wavelength = np.array([WAVELENGTH[name] for name in band])
    phase = (mjd - peak) / (1 + redshift)
    modulus = light_curve.distance_modulus(redshift) - 2.5 * np.log10(1 + redshift)
    luminosity = light_curve.supernova_luminosity(
        explosion, phase[None], wavelength[None] / (1 + redshift)
    )[0]
    return flux_of(np.asarray(explosion.absolute[0] + modulus)) * luminosity


def time_of_maximum(mjd, flux, error) -> float:
    """Returns where a running weighted mean of the fluxes is highest, MJD."""
    weight = error**-2.0 * np.exp(-0.5 * ((mjd[:, None] - mjd) / WINDOW) ** 2)
    return float(mjd[np.argmax((weight * flux).sum(1) / weight.sum(1))])


def measure(mjd, band, flux, error, redshift: float) -> dict[str, float]:
    """Returns what is compared of one light curve; NaN where nothing was observed."""
    peak = time_of_maximum(mjd, flux, error)
    phase = (mjd - peak) / (1 + redshift)

    def magnitude(name, day):
        near = (band == name) & (np.abs(phase - day) < WINDOW)
        weight = error[near] ** -2.0
        mean = (weight * flux[near]).sum() / weight.sum() if near.any() else np.nan
        is_seen = near.any() and mean * np.sqrt(weight.sum()) > 5
        return magnitude_of(mean) if is_seen else np.nan

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
