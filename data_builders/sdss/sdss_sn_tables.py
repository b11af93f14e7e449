"""Tables of the SDSS-II Supernova Survey: candidates, light curves, outliers.

Three formats of the release of Sako et al. 2018 are read: SNANA's FITS tables HEAD and
PHOT, master_data.txt, and the folder SMP_Data. The reader of HEAD was tested on the
real table of 10,258 candidates, that of outliers on a real list; PHOT, master_data and
SMP on files that follow the published descriptions.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from jaxastro.data.sky import sky_groups
from jaxastro.data.text_table import BLANKS, cells_of, rows_of
from jaxastro.errors import InputError, MissingFileError
from jaxastro.surveys import UNLABELLED
from jaxastro.units import FLUXCAL_ZERO_POINT, flux_of

RELEASE = "https://portal.nersc.gov/project/dessn/SDSS/dataRelease/"
MASTER, HEAD = "master_data.txt", "*_HEAD.FITS*"
SOURCE = f"{RELEASE} ({MASTER}, SMP_Data.tar.gz, SDSS_dataRelease-snana.tar.gz)"
# Row of Bairouk et al. 2023, table 1 -> label and its origin. A Variable varies in more
# than one season; PT is photometrically typed.
ROWS = {
    "AGN": ("AGN", "spectroscopic"),
    "SNIa": ("SNIa", "spectroscopic"),
    "SNOther": ("SNOther", "spectroscopic"),
    "Unknown": (UNLABELLED, "none"),
    "Variable": ("Variable", "catalogue"),
    "SNOther_PT": ("SNOther", "photometric"),
    "SNIa_PT": ("SNIa", "photometric"),
}
# Values of SNANA's SNTYPE and master_data's Classification; p: typed by the light
# curve, z: with the redshift of the host.
TYPES = {
    "AGN": "110 AGN",
    "SNIa": "120 118 SNIa",
    "SNOther": "111 112 113 114 115 SNIb SNIc SNIbc SNII SLSN",
    "Unknown": "0 Unknown",
    "Variable": "5 Variable",
    "SNOther_PT": "101 102 104 105 pSNII pSNIbc zSNII zSNIbc",
    "SNIa_PT": "103 106 pSNIa zSNIa",
}
ROW_OF_TYPE = {word: row for row, words in TYPES.items() for word in words.split()}
DOUBTFUL = ("119", "SNIa?")  # in no row of the table
FEATURES = {  # SNANA's column -> column of this survey; surveys.py has the units
    "MWEBV": "mwebv",
    "HOSTGAL_SNSEP": "host_separation",
    **{f"HOSTGAL_MAG_{band}": f"host_mag_{band}" for band in "ugriz"},
}
NUMBERS = ("MJD", "FLUXCAL", "FLUXCALERR")
SEPARATOR = -777.0  # MJD of the row between two light curves
UNKNOWN = (-9.0, -99.0, -999.0, 999.0)
OUTLIER_DAYS = 0.003  # times in the list of outliers are rounded
# Stamps of 32 pixels of 0.396 arcsec may overlap up to the length of their diagonal.
SHARED_SKY = 18.0  # arcsec


class Candidate(NamedTuple):
    """One row of the survey's catalogue."""

    object_id: str  # the survey's CID; file@line if the row cannot be read
    ra: float  # degrees
    dec: float  # degrees
    row: str  # a key of ROWS; empty if it has a fault
    redshift: float  # heliocentric, of the host or the supernova; NaN if unknown
    features: dict[str, float]
    span: tuple[int, int]  # rows of the PHOT table, from 0, the last excluded
    fault: str = ""  # why the object is set aside


class Epochs(NamedTuple):
    """The light curve of one candidate."""

    mjd: np.ndarray  # t
    band: np.ndarray  # t  letters
    flux: np.ndarray  # t  microjansky
    flux_error: np.ndarray  # t
    flag: np.ndarray  # t  bits of the scene modelling


def find_catalogue(folder: Path) -> Path:
    """Returns the HEAD table in a folder or two levels below, else master_data.txt.

    Raises:
        MissingFileError: if neither exists; the message has the source.
        InputError: if there are several HEAD tables.
    """
    heads = [p for depth in ("", "*/", "*/*/") for p in folder.glob(f"{depth}{HEAD}")]
    if len(heads) > 1:
        raise InputError(
            f"{folder} has {len(heads)} HEAD tables, {heads[0].name} and "
            f"{heads[1].name} among them. One catalogue is expected. Remove the others."
        )
    if not heads and not (folder / MASTER).exists():
        raise MissingFileError(
            f"No {HEAD} and no {MASTER} in {folder}. One of them is needed: it is the "
            f"catalogue of candidates. Get it from {SOURCE}, and unpack it there."
        )
    return heads[0] if heads else folder / MASTER


def read_candidates(path: Path) -> list[Candidate]:
    """Returns all candidates of a HEAD table or of master_data.txt.

    Raises:
        InputError: if the file is damaged or misses a column.
    """
    return _read_master(path) if path.suffix == ".txt" else _read_head(path)


def groups_of(candidates: list[Candidate]) -> list[str]:
    """Returns the group of each candidate: stamps of one group may overlap."""
    ra, dec = ([getattr(c, axis) for c in candidates] for axis in ("ra", "dec"))
    return sky_groups(ra, dec, radius=SHARED_SKY)


def read_phot(path: Path, candidates: list[Candidate]) -> Iterator[Epochs | str]:
    """Yields the light curve of each candidate, or its fault.

    Raises:
        InputError: if the file is damaged or misses a column.
    """
    table = _open_table(path, (*NUMBERS, "FLT", "PHOTFLAG"))
    unit = flux_of(FLUXCAL_ZERO_POINT)  # of FLUXCAL, microjansky
    for candidate in candidates:
        start, stop = candidate.span
        is_span = 0 <= start < stop <= len(table)
        rows = table[start : stop + 1] if is_span else table[:0]
        is_separator, t = rows["MJD"] == SEPARATOR, slice(0, stop - start)
        if not is_span or is_separator[t].any() or not is_separator[t.stop :].all():
            yield (
                f"Object {candidate.object_id}: rows {start + 1} to {stop} of "
                f"{path.name} are not one light curve (it has {len(table)} rows; MJD "
                f"{SEPARATOR:.0f} separates objects). Download HEAD and PHOT of one "
                "release."
            )
            continue
        mjd, flux, error = (np.array(rows[name][t], float) for name in NUMBERS)
        band = np.char.strip(np.asarray(rows["FLT"][t], str))
        flag = np.array(rows["PHOTFLAG"][t], int)
        yield Epochs(mjd, band, flux * unit, error * unit, flag)


def read_smp(path: Path) -> Epochs | str:
    """Returns the light curve of an SMP file, or its fault."""
    lines = path.read_text(errors="replace").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    names = comments[-1].strip("# ").split() if comments else []
    wanted = ("MJD", "FILT", "FLUX", "FLUXERR", "FLAG")
    missing = [name for name in wanted if name not in names]
    if missing:
        return (
            f"{path.name}: no column {missing[0]} in its last comment line. SMP files "
            f"have {', '.join(wanted)} there. Download the file again."
        )
    rows = []
    for line, cells in rows_of(lines, BLANKS, comment="#"):
        try:
            row = [_number(cells[names.index(name)]) for name in wanted]
            is_valid = row[1] in range(5) and row[4] == int(row[4])
        except (ValueError, IndexError):
            is_valid = False
        if not is_valid:
            return (
                f"{path.name}, line {line}: {' '.join(cells)[:60]!r} is no epoch. "
                f"Numbers in {len(names)} columns and a band from 0 to 4 are expected. "
                "Download the file again."
            )
        rows.append(row)
    mjd, band, flux, error, flag = np.array(rows).reshape(-1, 5).T  # flux: microjansky
    letters = np.array(list("ugriz"))[band.astype(int)]
    return Epochs(mjd, letters, flux, error, flag.astype(int))


def read_outliers(path: Path) -> dict[str, list[tuple[float, str]]]:
    """Returns object -> epochs, MJD and band, that the survey marks as outliers."""
    found = {}
    for line, cells in rows_of(path.read_text().splitlines(), BLANKS):
        if cells[0] != "IGNORE:":
            continue
        try:
            _, object_id, mjd, band = cells[:4]
            found.setdefault(object_id, []).append((float(mjd), band))
        except ValueError as error:
            raise InputError(
                f"{path}, line {line}: {' '.join(cells)[:60]!r}. Object, MJD and band "
                "are expected. Correct or remove it."
            ) from error
    return found


def is_outlier(epochs: Epochs, outliers: list[tuple[float, str]]) -> np.ndarray:
    """Returns [t] bool, True for epochs in a list of outliers."""
    found = np.zeros(len(epochs.mjd), bool)
    for mjd, band in outliers:
        found |= (abs(epochs.mjd - mjd) <= OUTLIER_DAYS) & (epochs.band == band)
    return found


def _read_head(path: Path) -> list[Candidate]:
    names = ("SNID", "RA", "DECL", "SNTYPE", "REDSHIFT_HELIO")
    pointers = ("PTROBS_MIN", "PTROBS_MAX")
    table = _open_table(path, (*names, *pointers, *FEATURES))
    columns = zip(*(table[name].tolist() for name in (*names, *pointers)), strict=True)
    features = {ours: _known(table[theirs]) for theirs, ours in FEATURES.items()}
    candidates = []
    for i, (snid, ra, dec, sntype, redshift, first, last) in enumerate(columns):
        row, fault = _row_of(snid.strip(), str(sntype))
        candidates.append(
            Candidate(
                object_id=snid.strip(),
                ra=ra,
                dec=dec,
                row=row,
                redshift=float(_known(redshift)),
                features={name: column[i].item() for name, column in features.items()},
                span=(first - 1, last),  # SNANA counts from 1 and includes the last
                fault=fault,
            )
        )
    return candidates


def _read_master(path: Path) -> list[Candidate]:
    lines = path.read_text(errors="replace").splitlines()
    names = cells_of(lines[0].lstrip("#"), BLANKS) if lines else []
    wanted = ("CID", "RA", "DEC", "Classification", "zspecHelio")
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputError(
            f"{path}: no column {missing[0]} in its first line. master_data.txt has "
            f"{', '.join(wanted)} and others there. Download the file again."
        )
    candidates = []
    rows = rows_of(lines, BLANKS)
    next(rows)
    for line, cells in rows:
        try:
            if len(cells) != len(names):
                raise InputError(f"{len(cells)} cells")
            cid, ra, dec, kind, redshift = (cells[names.index(n)] for n in wanted)
            row, fault = _row_of(cid, kind)
            z = float(_known(_number(redshift)))
            candidate = Candidate(
                cid, _number(ra), _number(dec), row, z, {}, (0, 0), fault
            )
        except ValueError:
            where = f"{path.name}@{line}"
            fault = (
                f"{where}: {len(cells)} cells, {' '.join(cells)[:40]!r}. A row of "
                f"{len(names)} cells with numbers in RA, DEC and zspecHelio is "
                "expected. Correct it."
            )
            nan = math.nan
            candidate = Candidate(where, nan, nan, "", nan, {}, (0, 0), fault)
        candidates.append(candidate)
    return candidates


def _row_of(object_id: str, word: str) -> tuple[str, str]:
    """Returns the row of table 1, or "" and why there is none."""
    if word in ROW_OF_TYPE:
        return ROW_OF_TYPE[word], ""
    if word in DOUBTFUL:
        why = "a doubtful Ia (SNIa?), which is not in the table of Bairouk et al."
    else:
        why = f"unknown type {word!r}; known are {', '.join(ROW_OF_TYPE)}"
    return "", f"Object {object_id}: {why}. Label it in a catalogue of your own."


def _known(values) -> np.ndarray:
    """Returns the numbers, with the survey's values for "unknown" replaced by NaN."""
    values = np.asarray(values, float)
    return np.where(np.isin(values, UNKNOWN), np.nan, values)


def _number(word: str) -> float:
    return math.nan if word == r"\N" else float(word)


def _open_table(path: Path, names: tuple[str, ...]) -> fits.FITS_rec:
    try:
        with fits.open(path, memmap=path.suffix.lower() == ".fits") as file:
            table = file[1].data
            missing = [name for name in names if name not in table.names]
    # A damaged FITS or gzip file may raise any error.
    except Exception as error:
        raise InputError(
            f"{path}: damaged FITS table: {type(error).__name__}: {error}. SNANA's "
            f"tables are FITS files with one table. Download it again from {SOURCE}."
        ) from error
    if missing:
        raise InputError(
            f"{path}: no column {missing[0]}. SNANA's table has {', '.join(names)}. "
            f"Download it from {SOURCE}."
        )
    return table
