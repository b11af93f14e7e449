"""One object as stored: checked, sorted, in one unit. Ragged in epochs."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxastro.errors import InputError
from jaxastro.surveys import LABEL_SOURCES, UNLABELLED, Survey


class Record(NamedTuple):
    """An image time series on disk; its fields are the columns of the data set.

    Unknown numbers are NaN. `truth` is the class a simulation drew, which `label`
    may mistake or hide; it is empty for real objects and never trained on.
    """

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    label: str  # one of the survey's classes, or Unknown
    label_source: str  # spectroscopic, photometric, catalogue, simulated, none
    truth: str
    redshift: float
    group: str  # what may not be split over folds: field, or 2 arcsec cluster
    flux: np.ndarray  # t y x  float32, the survey's unit per pixel
    mjd: np.ndarray  # t       float64, days
    band: np.ndarray  # t      int32, index into the survey's bands
    psf_fwhm: np.ndarray  # t  float32, arcsec
    noise: np.ndarray  # t     float32, standard deviation of an empty pixel
    gain: np.ndarray  # t      float32, electrons per ADU
    zero_point: np.ndarray  # t float32, AB magnitude of one ADU
    bad_pixel: np.ndarray  # t y x bool, True where flux is not a measurement

    OF_EPOCHS = (  # fields with the axis t
        *("flux", "mjd", "band", "psf_fwhm", "noise", "gain", "zero_point"),
        "bad_pixel",
    )


class Reading(NamedTuple):
    """What a builder's `read` yields: a record, or why there is none."""

    object_id: str  # or file and offset, where not even a name could be read
    record: tuple | None  # a record of the kind; None: set aside, and the notes say why
    notes: tuple[str, ...]  # one sentence each: what was wrong or was mended
    raw: bytes = b""  # what was set aside, where it has no file of its own


class RecordError(InputError):
    """This object cannot become a record; the message names it and the cure."""


def make_record(
    object_id: str,
    survey: Survey,
    *,
    flux,
    mjd,
    band,
    label: str = UNLABELLED,
    label_source: str = "none",
    truth: str = "",
    ra: float = np.nan,
    dec: float = np.nan,
    redshift: float = np.nan,
    group: str = "",
    psf_fwhm=np.nan,
    noise=np.nan,
    gain=np.nan,
    zero_point=np.nan,
    bad_pixel=None,
) -> tuple[Record, tuple[str, ...]]:
    """Returns a checked record, and one sentence for each thing that was mended.

    Epochs are sorted by time. Pixels that are not finite, equal a sentinel of the
    survey or leave its valid range are marked bad; so are those the caller marks.
    Epochs without one good pixel are dropped, and told.

    Args:
        object_id: name of the object, as messages and predictions will show it.
        survey: whose bands, classes, image size, sentinels and valid range hold.
        flux: [t y x], the survey's unit per pixel.
        mjd: [t], modified Julian date, days.
        band: [t], indices into the survey's bands, or their names.
        label: one of the survey's classes, or "Unknown".
        group: what may not be split over folds; the object itself if empty.
        psf_fwhm: arcsec; with noise, gain and zero_point one number or [t].
        bad_pixel: [t y x] bool, True where the survey says so.

    Raises:
        RecordError: if shapes disagree, nothing was observed, or a name is unknown.
    """
    where = f"Object {object_id}"
    flux = np.asarray(flux, np.float32)
    mjd = np.atleast_1d(np.asarray(mjd, np.float64))
    _check_frames(where, survey, flux, mjd, bad_pixel)
    check_words(where, survey, label, truth, label_source)
    columns = {"band": band_index(where, survey, band), "psf_fwhm": psf_fwhm}
    columns |= {"noise": noise, "gain": gain, "zero_point": zero_point}
    for name, column in columns.items():
        if np.ndim(column) and np.shape(column) != mjd.shape:
            raise RecordError(
                f"{where}: {name} has shape {np.shape(column)}, but there are "
                f"{len(mjd)} epochs. Give one value per epoch, or one for all."
            )

    bad, notes = _bad_pixels(survey, flux)
    if bad_pixel is not None:
        bad = bad | np.asarray(bad_pixel, bool)
    order = np.argsort(mjd, kind="stable")
    if (order != np.arange(len(mjd))).any():
        notes.append("epochs were out of order: sorted by time.")
    empty = bad.all(axis=(1, 2))
    if empty.any():
        notes.append(f"{int(empty.sum())} epochs have no good pixel: dropped.")
    order = order[~empty[order]]
    if not len(order):
        raise RecordError(
            f"{where}: no epoch with a good pixel. Remove the object or rebuild its "
            "file."
        )

    kinds = {name: np.float32 for name in columns} | {"band": np.int32}
    per_epoch = {
        name: np.broadcast_to(np.asarray(column, kinds[name]), mjd.shape)[order]
        for name, column in columns.items()
    }
    record = Record(
        object_id=object_id,
        ra=float(ra),
        dec=float(dec),
        label=label,
        label_source=label_source,
        truth=truth,
        redshift=float(redshift),
        group=group or object_id,
        flux=np.where(bad, np.float32(0), flux)[order],
        mjd=mjd[order],
        bad_pixel=bad[order],
        **per_epoch,
    )
    return record, tuple(notes)


def record_from_example(example: dict, kind: type = Record) -> Record:
    """Returns the record that a TFDS data source gives as a dictionary."""
    plain = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in example.items()
    }
    for name in ("ra", "dec", "redshift"):
        plain[name] = float(plain[name])
    return kind(**plain)


class Records:
    """Records at random access, of a data source of TFDS."""

    def __init__(self, source, kind: type):
        """Takes the source, whose items are dictionaries, and what they become."""
        self._source, self._kind = source, kind

    def __len__(self) -> int:
        """Returns the number of records."""
        return len(self._source)

    def __getitem__(self, row: int) -> tuple:
        """Returns a record."""
        return record_from_example(self._source[int(row)], self._kind)

    def __iter__(self) -> Iterator[tuple]:
        """Yields all records."""
        return map(self.__getitem__, range(len(self)))


def some_epochs(record: tuple, which) -> tuple:
    """Returns a record's epochs of these places, or where a mask is True."""
    return record._replace(**{n: getattr(record, n)[which] for n in record.OF_EPOCHS})


def evenly_spaced(count: int, most: int) -> slice | np.ndarray:
    """Returns the places of at most so many of `count` epochs, the ends among them.

    Spaced evenly in their order: the choice sees neither label nor flux.
    """
    if count <= most:
        return slice(None)  # a view, no copy
    return np.linspace(0, count - 1, most).round().astype(int)


def first_epochs(record: tuple, count: int) -> tuple:
    """Returns the record as it was after its first `count` epochs.

    What a catalogue says of a light curve was measured on all of it: unknown then. The
    history of alerts ends with the last of them.
    """
    return _with_less(record, slice(count))


def without_some(record: tuple, share: float) -> tuple:
    """Returns the record without a share of its epochs, each left out by its own luck.

    The luck is the object's: what a smaller share leaves out, a larger one does too.
    The luckiest epoch always stays.
    """
    seed = hashlib.sha256(record.object_id.encode()).digest()
    luck = np.random.default_rng(list(seed)).random(len(record.mjd))
    keep = (luck >= share) | (luck == luck.max(initial=0))
    return _with_less(record, keep)


def _with_less(record: tuple, which) -> tuple:
    less = some_epochs(record, which)
    if len(less.mjd) < len(record.mjd) and "features" in record._fields:
        less = less._replace(features=np.full_like(record.features, np.nan))
    if "history_mjd" in record._fields:
        known = record.history_mjd <= less.mjd.max(initial=-np.inf)
        names = [n for n in record._fields if n.startswith("history_")]
        less = less._replace(**{n: getattr(record, n)[known] for n in names})
    return less


def _check_frames(where: str, survey: Survey, flux, mjd, bad_pixel) -> None:
    size = survey.image_size or max(flux.shape[1:], default=0)
    if flux.ndim != 3 or flux.shape[1:] != (size, size):
        raise RecordError(
            f"{where}: cutouts of shape {flux.shape}. {survey.name} has [epochs, "
            f"{size}, {size}]. Cut the frames to {size}x{size} pixels."
        )
    if len(flux) != len(mjd):
        raise RecordError(
            f"{where}: {len(flux)} cutouts but {len(mjd)} observation times. A record "
            "needs one time per cutout. Remove the object or rebuild its file."
        )
    if not np.isfinite(mjd).all():
        raise RecordError(
            f"{where}: {int((~np.isfinite(mjd)).sum())} of {len(mjd)} observation "
            "times are not numbers. Give every epoch its MJD or remove it."
        )
    if bad_pixel is not None and np.shape(bad_pixel) != flux.shape:
        raise RecordError(
            f"{where}: bad_pixel has shape {np.shape(bad_pixel)}, the cutouts "
            f"{flux.shape}. Give one flag per pixel."
        )


def check_words(
    where: str, survey: Survey, label: str, truth: str, label_source: str
) -> None:
    """Raises RecordError if a label, truth or label source is not known."""
    known = (*survey.classes, UNLABELLED)
    for name in (label, truth or UNLABELLED):
        if name not in known:
            raise RecordError(
                f"{where}: unknown class {name!r}. {survey.name} has "
                f"{', '.join(known)}. Rename the label or add the class to surveys.py."
            )
    if label_source not in LABEL_SOURCES:
        raise RecordError(
            f"{where}: unknown label source {label_source!r}. Known: "
            f"{', '.join(LABEL_SOURCES)}."
        )


def _bad_pixels(survey: Survey, flux: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Returns [t y x] bool, True where flux is no measurement, and sentences on it."""
    notes = []
    bad = ~np.isfinite(flux) | np.isin(flux, np.float32(survey.sentinels))
    if bad.any():
        notes.append(f"{int(bad.sum())} pixels are NaN or sentinels: masked.")
    lowest, highest = survey.valid_range
    outside = ~bad & ((flux < lowest) | (flux > highest))
    if outside.any():
        notes.append(
            f"{int(outside.sum())} pixels lie outside {lowest:g} to {highest:g} "
            f"{survey.unit}: masked."
        )
    return bad | outside, notes


def band_index(where: str, survey: Survey, band) -> np.ndarray:
    """Returns int32 indices into the survey's bands, from names or indices."""
    band = np.asarray(band)
    names = np.array(survey.bands)
    is_name = band.dtype.kind in "US"
    if is_name:
        unknown = sorted(set(np.unique(band).tolist()) - set(survey.bands))
    else:
        number = np.unique(band)
        unknown = number[~np.isin(number, np.arange(len(names)))].tolist()
    if unknown:
        raise RecordError(
            f"{where}: unknown band {unknown[0]!r}. {survey.name} has "
            f"{', '.join(survey.bands)} (or their indices from 0). Rename the band or "
            "remove its epochs."
        )
    if is_name:
        order = np.argsort(names)
        band = order[np.searchsorted(names[order], band)]
    return band.astype(np.int32)
