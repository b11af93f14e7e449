"""Writes SDSS frames and the table of their fields, in the survey's own layout."""

import bz2
import csv
import io
import sqlite3

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.special import erf

from data_builders.sdss import sdss_sn, sdss_sn_cutouts, sdss_sn_frames
from data_builders.sdss.sdss_sn_frames import BANDS, COLUMNS, FIELDS_FILE, Frame

PIXEL = 0.396 / 3600  # degrees
SHAPE = (1489, 2048)  # rows, scanned eastwards; columns, northwards
BAND_SECONDS = {"r": 0.0, "i": 71.7, "u": 143.3, "z": 215.0, "g": 286.6}


def header_of(frame, centre, shape, turn):
    """The header of a frame whose middle lies at a place."""
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CRPIX1"], header["CRPIX2"] = shape[1] // 2 + 1.0, shape[0] // 2 + 1.0
    header["CRVAL1"], header["CRVAL2"] = centre
    # Rows run along right ascension, columns along declination.
    header["CD1_1"], header["CD1_2"] = PIXEL * np.sin(turn), PIXEL * np.cos(turn)
    header["CD2_1"], header["CD2_2"] = PIXEL * np.cos(turn), -PIXEL * np.sin(turn)
    identity = {"RUN": frame.run, "CAMCOL": frame.camcol, "FILTER": frame.band}
    header.update(identity)
    header["TAI"] = frame.mjd * 86400
    return header


def write_frame(
    folder,
    frame: Frame,
    centre,
    stars=(),
    *,
    shape=SHAPE,
    per_count=0.005,
    sky=120.0,
    noise=0.0,
    turn=0.01,
    seed=0,
):
    """Writes a frame with stars (ra, dec, nanomaggies), and returns its path.

    The calibration grows by 10 % over the columns, the sky by 50 % over the rows.
    """
    rows, columns = shape
    header = header_of(frame, centre, shape, turn)
    image = np.random.default_rng(seed).normal(0, noise, shape).astype(np.float32)
    for ra, dec, flux in stars:
        x, y = WCS(header).wcs_world2pix(ra, dec, 0)
        profile = [
            _in_pixels(n, at) for n, at in ((rows, float(y)), (columns, float(x)))
        ]
        image += (flux * np.outer(*profile)).astype(np.float32)
    calibration = per_count * np.linspace(1, 1.1, columns, dtype=np.float32)
    bins = np.empty((rows // 8, columns // 8), np.float32)
    bins[:] = sky * np.linspace(1, 1.5, len(bins))[:, None]
    # The centre of pixel 0 lies at -7/16 of the first bin of eight.
    places = [((np.arange(n) + 0.5) / 8 - 0.5).astype(np.float32) for n in shape]
    table = [
        fits.Column(
            "ALLSKY", f"{bins.size}E", dim=str(bins.shape[::-1]), array=bins[None]
        ),
        fits.Column("XINTERP", f"{columns}E", array=places[1][None]),
        fits.Column("YINTERP", f"{rows}E", array=places[0][None]),
    ]
    # The archive keeps ten binary digits, which bzip2 packs well.
    mantissa, exponent = np.frexp(image)
    image = np.ldexp(np.round(mantissa * 1024) / 1024, exponent).astype(np.float32)
    file = fits.HDUList(
        [
            fits.PrimaryHDU(image, header),
            fits.ImageHDU(calibration),
            fits.BinTableHDU.from_columns(table),
        ]
    )
    raw = io.BytesIO()
    file.writeto(raw)
    path = folder / frame.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bz2.compress(raw.getvalue()))
    return path


def _in_pixels(count, at, sigma=1.3):
    """The share of a star's light in each row or column."""
    edges = (np.arange(count + 1) - 0.5 - at) / (sigma * np.sqrt(2))
    return np.diff(erf(edges)) / 2


def field_row(run, camcol, field, centre, *, mjd, shape=SHAPE, score=0.9, psf=1.3):
    """A row of the table of fields."""
    half_ra, half_dec = (n * PIXEL / 2 for n in shape)
    row = {"run": run, "rerun": 301, "camcol": camcol, "field": field, "score": score}
    row["raMin"], row["raMax"] = ((centre[0] + d) % 360 for d in (-half_ra, half_ra))
    row["decMin"], row["decMax"] = centre[1] - half_dec, centre[1] + half_dec
    for i, band in enumerate(BANDS):
        row[f"mjd_{band}"] = mjd + BAND_SECONDS[band] / 86400
        row[f"psfWidth_{band}"] = psf + 0.1 * i
    return row


def write_fields(path, rows):
    """Writes the table of fields as SkyServer does, with a line before the names."""
    with open(path, "w", newline="") as file:
        file.write("#Table1\n")
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def frames_of(row):
    """The five frames of a row of the table."""
    return [
        Frame(
            *(row[n] for n in ("run", "rerun", "camcol", "field")),
            band=band,
            mjd=row[f"mjd_{band}"],
            psf_fwhm=row[f"psfWidth_{band}"],
            score=row["score"],
        )
        for band in BANDS
    ]


# -- a small survey: five candidates, four stars, two nights that count ---------------

SMALL = (200, 240)
MASTER = """CID RA DEC IAUName Classification zspecHelio
101 10.0010 0.0500 2005aa SNIa 0.2
102 9.9950 0.0450 \\N pSNII \\N
103 9.9897 0.0500 \\N AGN 1.5
104 9.9960 0.0560 \\N SNIa? 0.1
105 50.0 0.5 \\N Variable \\N
"""
STARS = {  # nanomaggies
    "101": (10.0010, 0.0500, 40.0),
    "102": (9.9950, 0.0450, 25.0),
    "103": (9.9897, 0.0500, 60.0),
    "104": (9.9960, 0.0560, 10.0),
}
CENTRE = (10.0, 0.05)
# The first night has a second field that overlaps; the last one was spoiled.
ROWS = [
    field_row(2873, 3, 100, CENTRE, mjd=53650.25, shape=SMALL),
    field_row(2873, 3, 101, (10.015, 0.05), mjd=53650.2501, shape=SMALL),
    field_row(5800, 3, 40, (10.001, 0.0495), mjd=53700.125, shape=SMALL, score=0.3),
    field_row(5900, 3, 7, CENTRE, mjd=53710.125, shape=SMALL, score=0.0),
]
CENTRES = [CENTRE, (10.015, 0.05), (10.001, 0.0495), CENTRE]


def write_survey(folder, *, master=MASTER):
    """Writes catalogue, table of fields and all frames, and returns the folder."""
    (folder / "master_data.txt").write_text(master)
    write_fields(folder / FIELDS_FILE, ROWS)
    for row, centre in zip(ROWS, CENTRES, strict=True):
        for image in frames_of(row):
            write_frame(
                folder / "frames",
                image,
                centre,
                STARS.values(),
                shape=SMALL,
            )
    return folder


def cut(folder, **options):
    """Cuts the survey in a folder."""
    candidates = sdss_sn.read_candidates(sdss_sn.find_catalogue(folder))
    fields = sdss_sn_frames.read_fields(folder / FIELDS_FILE)
    places = sdss_sn.places_of(candidates)
    return sdss_sn_cutouts.cut_frames(folder, places, fields, size=32, **options)


def stored(folder):
    """All stamps that were cut, in one order."""
    file = sqlite3.connect(folder / "cutouts.db")
    rows = file.execute("SELECT * FROM stamps ORDER BY frame, place").fetchall()
    file.close()
    return rows
