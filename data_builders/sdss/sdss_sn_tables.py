"""Tables of the SDSS-II Supernova Survey: candidates, light curves, outliers.

Three layouts of Sako et al. 2018's release are read: SNANA's pair of FITS tables (HEAD
and PHOT), master_data.txt, and the folder SMP_Data. The HEAD reader was checked on the
real table of all 10,258 candidates, the outlier list on a real one; PHOT, master_data
and SMP on files that the tests write after the published descriptions.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from jaxastro.data.sky import sky_groups
from jaxastro.errors import InputError, MissingFileError
from jaxastro.surveys import UNLABELLED
from jaxastro.units import FLUXCAL_ZERO_POINT, flux_of

RELEASE = "https://portal.nersc.gov/project/dessn/SDSS/dataRelease/"
MASTER, HEAD = "master_data.txt", "*_HEAD.FITS*"
SOURCE = f"{RELEASE} ({MASTER}, SMP_Data.tar.gz, SDSS_dataRelease-snana.tar.gz)"
# Row of Bairouk et al. 2023, table 1 -> label and where it is from. A Variable varies
# in more than one season; PT is photometrically typed.
ROWS = {
    "AGN": ("AGN", "spectroscopic"),
    "SNIa": ("SNIa", "spectroscopic"),
    "SNOther": ("SNOther", "spectroscopic"),
    "Unknown": (UNLABELLED, "none"),
    "Variable": ("Variable", "catalogue"),
    "SNOther_PT": ("SNOther", "photometric"),
    "SNIa_PT": ("SNIa", "photometric"),
}
# How SNANA's SNTYPE and master_data's Classification write them; p: typed from the
# light curve alone, z: with the host's redshift.
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
FEATURES = {  # SNANA's column -> ours; surveys.py has the units
    "MWEBV": "mwebv",
    "HOSTGAL_SNSEP": "host_separation",
    **{f"HOSTGAL_MAG_{band}": f"host_mag_{band}" for band in "ugriz"},
}
NUMBERS = ("MJD", "FLUXCAL", "FLUXCALERR")
SEPARATOR = -777.0  # MJD of the row between two light curves
UNKNOWN = (-9.0, -99.0, -999.0, 999.0)
OUTLIER_DAYS = 0.003  # the outlier list rounds its times
# Stamps of 32 pixels of 0.396 arcsec share pixels up to their diagonal apart.
SHARED_SKY = 18.0  # arcsec


class Candidate(NamedTuple):
    """One row of the survey's catalogue."""

    object_id: str  # the survey's CID; file@line where the row cannot be read
    ra: float  # degrees
    dec: float  # degrees
    row: str  # a key of ROWS; empty if wrong says why
    redshift: float  # heliocentric, of the host or the supernova; NaN if unknown
    features: dict[str, float]
    span: tuple[int, int]  # rows of the PHOT table, from 0, the last excluded
    wrong: str = ""  # why the object is set aside, in a sentence


class Epochs(NamedTuple):
    """The light curve of one candidate, as its file has it."""

    mjd: np.ndarray  # t
    band: np.ndarray  # t  letters
    flux: np.ndarray  # t  microjansky
    flux_error: np.ndarray  # t
    flag: np.ndarray  # t  bits of the scene modelling


def find_catalogue(folder: Path) -> Path:
    """Returns the HEAD table in a folder or two levels below, else master_data.txt.

    Raises:
        FileNotFoundError: if neither is there; says where to get them.
        ValueError: if there are several HEAD tables.
    """
    heads = [p for depth in ("", "*/", "*/*/") for p in folder.glob(f"{depth}{HEAD}")]
    if len(heads) > 1:
        raise InputError(
            f"{folder} holds {len(heads)} HEAD tables, {heads[0].name} and "
            f"{heads[1].name} among them. One catalogue is read. Remove the others."
        )
    if not heads and not (folder / MASTER).exists():
        raise MissingFileError(
            f"No {HEAD} and no {MASTER} in {folder}. The catalogue of candidates is "
            f"one of them. Get it from {SOURCE}, and unpack it there."
        )
    return heads[0] if heads else folder / MASTER


def read_candidates(path: Path) -> list[Candidate]:
    """Returns all candidates of a HEAD table or of master_data.txt.

    Raises:
        ValueError: if the file is damaged or lacks a column.
    """
    return _read_master(path) if path.suffix == ".txt" else _read_head(path)


def groups_of(candidates: list[Candidate]) -> list[str]:
    """Returns what no split may cut: all candidates whose stamps share sky."""
    ra, dec = ([getattr(c, axis) for c in candidates] for axis in ("ra", "dec"))
    return sky_groups(ra, dec, radius=SHARED_SKY)


def read_phot(path: Path, candidates: list[Candidate]) -> Iterator[Epochs | str]:
    """Yields the light curve of each candidate, or why it cannot be read.

    Raises:
        ValueError: if the file is damaged or lacks a column.
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
                f"{SEPARATOR:.0f} separates objects). Fetch HEAD and PHOT of one "
                "release."
            )
            continue
        mjd, flux, error = (np.array(rows[name][t], float) for name in NUMBERS)
        band = np.char.strip(np.asarray(rows["FLT"][t], str))
        flag = np.array(rows["PHOTFLAG"][t], int)
        yield Epochs(mjd, band, flux * unit, error * unit, flag)


def read_smp(path: Path) -> Epochs | str:
    """Returns the light curve of an SMP file, or why it cannot be read."""
    lines = path.read_text(errors="replace").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    names = comments[-1].strip("# ").split() if comments else []
    wanted = ("MJD", "FILT", "FLUX", "FLUXERR", "FLAG")
    missing = [name for name in wanted if name not in names]
    if missing:
        return (
            f"{path.name}: no column {missing[0]} in its last comment line. SMP files "
            f"name {', '.join(wanted)} there. Fetch the file again."
        )
    rows = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        try:
            row = [_number(words[names.index(name)]) for name in wanted]
            if row[1] not in range(5) or row[4] != int(row[4]):
                raise InputError(line)
        except (ValueError, IndexError):
            return (
                f"{path.name}, line {number}: {line[:60]!r} is no epoch. Numbers of "
                f"{len(names)} columns and a band from 0 to 4 are expected. Fetch the "
                "file again."
            )
        rows.append(row)
    mjd, band, flux, error, flag = np.array(rows).reshape(-1, 5).T
    # SMP fluxes are in microjansky as they are.
    letters = np.array(list("ugriz"))[band.astype(int)]
    return Epochs(mjd, letters, flux, error, flag.astype(int))


def read_outliers(path: Path) -> dict[str, list[tuple[float, str]]]:
    """Returns by object the epochs, MJD and band, that the survey found to be wrong."""
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.startswith("IGNORE:"):
            continue
        try:
            _, object_id, mjd, band = line.split()[:4]
            found.setdefault(object_id, []).append((float(mjd), band))
        except ValueError as error:
            raise InputError(
                f"{path}, line {number}: {line[:60]!r}. A line of outliers has object, "
                "MJD and band. Mend or remove it."
            ) from error
    return found


def is_outlier(epochs: Epochs, outliers: list[tuple[float, str]]) -> np.ndarray:
    """Returns [t] bool, True for the epochs in a list of outliers."""
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
        row, wrong = _row_of(snid.strip(), str(sntype))
        candidates.append(
            Candidate(
                object_id=snid.strip(),
                ra=ra,
                dec=dec,
                row=row,
                redshift=float(_known(redshift)),
                features={name: column[i].item() for name, column in features.items()},
                span=(first - 1, last),  # SNANA counts from 1 and includes the last
                wrong=wrong,
            )
        )
    return candidates


def _read_master(path: Path) -> list[Candidate]:
    lines = path.read_text(errors="replace").splitlines()
    names = lines[0].lstrip("#").split() if lines else []
    wanted = ("CID", "RA", "DEC", "Classification", "zspecHelio")
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputError(
            f"{path}: no column {missing[0]} in its first line. master_data.txt names "
            f"{', '.join(wanted)} there, among others. Fetch the file again."
        )
    candidates = []
    for number, line in enumerate(lines[1:], 2):
        words = line.split()
        try:
            if len(words) != len(names):
                raise InputError(line)
            cid, ra, dec, kind, redshift = (words[names.index(n)] for n in wanted)
            row, wrong = _row_of(cid, kind)
            z = float(_known(_number(redshift)))
            candidate = Candidate(
                cid, _number(ra), _number(dec), row, z, {}, (0, 0), wrong
            )
        except ValueError:
            where = f"{path.name}@{number}"
            wrong = (
                f"{where}: {len(words)} words, {line[:40]!r}. A row of {len(names)} "
                "words with numbers in RA, DEC and zspecHelio is expected. Mend it."
            )
            nan = math.nan
            candidate = Candidate(where, nan, nan, "", nan, {}, (0, 0), wrong)
        candidates.append(candidate)
    return candidates


def _row_of(object_id: str, word: str) -> tuple[str, str]:
    """Returns the row of table 1, or nothing and why there is none."""
    if word in ROW_OF_TYPE:
        return ROW_OF_TYPE[word], ""
    if word in DOUBTFUL:
        why = "a doubtful Ia (SNIa?), which the table of Bairouk et al. leaves out"
    else:
        why = f"unknown type {word!r}; known are {', '.join(ROW_OF_TYPE)}"
    return "", f"Object {object_id}: {why}. Label it in a catalogue of your own."


def _known(values) -> np.ndarray:
    """Returns the numbers with the survey's words for "unknown" made NaN."""
    values = np.asarray(values, float)
    return np.where(np.isin(values, UNKNOWN), np.nan, values)


def _number(word: str) -> float:
    return math.nan if word == r"\N" else float(word)


def _open_table(path: Path, names: tuple[str, ...]) -> fits.FITS_rec:
    try:
        with fits.open(path, memmap=path.suffix.lower() == ".fits") as file:
            table = file[1].data
            missing = [name for name in names if name not in table.names]
    # A damaged FITS or gzip file raises a dozen types of error; all mean the same.
    except Exception as error:
        raise InputError(
            f"{path}: damaged FITS table: {type(error).__name__}: {error}. SNANA's "
            f"tables are FITS files with one table. Fetch it again from {SOURCE}."
        ) from error
    if missing:
        raise InputError(
            f"{path}: no column {missing[0]}. SNANA's table has {', '.join(names)}. "
            f"Fetch it from {SOURCE}."
        )
    return table
