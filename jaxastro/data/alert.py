"""The record of an object's alerts: stamps, metadata and history."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jaxastro.data.record_checks import band_index, check_label
from jaxastro.errors import RecordError
from jaxastro.surveys import UNLABELLED, Survey

DETECTION, LIMIT, FORCED = 0, 1, 2  # kinds of history rows


class Alert(NamedTuple):
    """One decoded alert packet, independent of the survey's wire format."""

    alert_id: int
    mjd: float  # days
    band: int | str  # index into the survey's bands, or the band's name
    stamps: tuple  # science, template, science - template: [y x] each, None if missing
    metadata: dict[str, float]  # name in survey.columns -> value; others are NaN


class HistoryRow(NamedTuple):
    """A point of an object's light curve in an alert packet."""

    mjd: float  # days
    band: int | str  # index into the survey's bands, or the band's name
    kind: int  # DETECTION, LIMIT or FORCED
    flux: float  # difference flux, the survey's unit; 5 sigma for a limit
    flux_error: float  # one standard deviation


class AlertRecord(NamedTuple):
    """An object's alerts on disk, by time; its fields are the columns of the data set.

    Unknown numbers, such as sentinels of the survey, are NaN. Stamps of an object are
    padded to the size of its largest, centred, and the padding is marked bad.
    """

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    label: str  # one of the survey's classes, or Unknown
    label_source: str  # spectroscopic, photometric, catalogue, simulated, none
    truth: str  # the class a simulation drew; empty for real objects
    redshift: float
    group: str  # never split over folds: the object, or a 2 arcsec cluster
    alert_id: np.ndarray  # t         int64, one alert per epoch
    mjd: np.ndarray  # t              float64, days
    band: np.ndarray  # t             int32, index into the survey's bands
    stamp: np.ndarray  # t y x 3      float32: science, template, science - template
    bad_pixel: np.ndarray  # t y x 3  bool, True where stamp is not a measurement
    metadata: np.ndarray  # t f       float64, the survey's columns
    history_mjd: np.ndarray  # h      float64, days; rows of all packets, each once
    history_band: np.ndarray  # h     int32, index into the survey's bands
    history_kind: np.ndarray  # h     int32: 0 detection, 1 upper limit, 2 forced
    history_flux: np.ndarray  # h     float32, difference flux; 5 sigma for a limit
    history_flux_error: np.ndarray  # h  float32, one standard deviation

    OF_EPOCHS = ("alert_id", "mjd", "band", "stamp", "bad_pixel", "metadata")


def make_alert_record(
    object_id: str,
    survey: Survey,
    *,
    alerts: Iterable[Alert],
    history: Iterable[HistoryRow] = (),
    label: str = UNLABELLED,
    label_source: str = "none",
    truth: str = "",
    ra: float = np.nan,
    dec: float = np.nan,
    redshift: float = np.nan,
    group: str = "",
) -> tuple[AlertRecord, tuple[str, ...]]:
    """Returns a checked record, and one sentence for each repair.

    Alerts and history are sorted by time. Of alerts with one id, the one with the most
    stamps is kept. Exact repeats in the history are dropped without a note, because
    packets repeat the history. Stamps are padded to the survey's image size, or to the
    largest side of any stamp, with pixel n // 2 on pixel N // 2. Padding, missing
    stamps and pixels that are not finite are 0 and marked bad.

    Args:
        object_id: name of the object in messages and predictions.
        survey: its bands, classes, image size and columns are used.
        alerts: of this object, in any order.
        history: rows of all packets, including the detections of the alerts.
        label: one of the survey's classes, or "Unknown".
        label_source: spectroscopic, photometric, catalogue, simulated or none.
        truth: class of a simulated object; empty for real objects.
        ra: degrees, with dec.
        group: name of a set of objects that folds do not split; default: the object.

    Raises:
        RecordError: if there is no alert, a name is unknown, a time is not finite, or
            a stamp is not an image that fits.
    """
    where, notes = f"Object {object_id}", []
    check_label(where, survey, label, truth, label_source)
    alerts = _each_once(where, alerts, notes)
    stamp = _stacked(where, survey, alerts, notes)
    bad = ~np.isfinite(stamp)
    missing = sum(one is None for alert in alerts for one in alert.stamps)
    if blank := int(bad.all(axis=(1, 2)).sum()) - missing:
        notes.append(f"{blank} stamps have no number in any pixel: masked.")
    record = AlertRecord(
        object_id=object_id,
        ra=float(ra),
        dec=float(dec),
        label=label,
        label_source=label_source,
        truth=truth,
        redshift=float(redshift),
        group=group or object_id,
        alert_id=np.array([alert.alert_id for alert in alerts], np.int64),
        mjd=np.array([alert.mjd for alert in alerts], np.float64),
        band=band_index(where, survey, [alert.band for alert in alerts]),
        stamp=np.where(bad, np.float32(0), stamp),
        bad_pixel=bad,
        metadata=_metadata(where, survey, alerts),
        **_history(where, survey, history, notes),
    )
    return record, tuple(notes)


def _each_once(where: str, alerts: Iterable[Alert], notes: list[str]) -> list[Alert]:
    """Returns the alerts sorted by time, one for each id."""
    alerts = list(alerts)
    if not alerts:
        raise RecordError(
            f"{where}: no alerts. A record needs at least one. Remove the object."
        )
    for alert in alerts:
        if not np.isfinite(alert.mjd):
            raise RecordError(
                f"{where}, alert {alert.alert_id}: its time is {alert.mjd}. A number "
                "of days is expected. Remove the packet."
            )
    missing = {id(a): sum(stamp is None for stamp in a.stamps) for a in alerts}
    best = {}
    for alert in sorted(alerts, key=lambda alert: missing[id(alert)], reverse=True):
        best[alert.alert_id] = alert
    if len(best) < len(alerts):
        notes.append(f"{len(alerts) - len(best)} alerts came more than once: dropped.")
    return sorted(best.values(), key=lambda alert: (alert.mjd, alert.alert_id))


def _stacked(where, survey: Survey, alerts: list[Alert], notes: list) -> np.ndarray:
    """Returns [t y x 3], NaN in the padding and for missing stamps."""
    shapes = {np.shape(s) for alert in alerts for s in alert.stamps if s is not None}
    size = survey.image_size or max((n for shape in shapes for n in shape), default=0)
    for shape in shapes:
        if len(shape) != 2 or max(shape) > size:
            raise RecordError(
                f"{where}: a stamp of shape {shape}. {survey.name} has images of at "
                f"most {size}x{size} pixels. Remove the packet or cut the stamp."
            )
    padded = np.full((len(alerts), size, size, 3), np.nan, np.float32)
    for t, alert in enumerate(alerts):
        for channel, stamp in enumerate(alert.stamps):
            if stamp is not None:
                y, x = (size // 2 - n // 2 for n in stamp.shape)
                height, width = stamp.shape
                padded[t, y : y + height, x : x + width, channel] = stamp
    count = sum(stamp is None for alert in alerts for stamp in alert.stamps)
    if count:
        notes.append(f"{count} stamps are missing: masked.")
    return padded


def _metadata(where: str, survey: Survey, alerts: list[Alert]) -> np.ndarray:
    names = [name for name, _ in survey.columns]
    unknown = sorted({name for a in alerts for name in a.metadata}.difference(names))
    if unknown:
        raise RecordError(
            f"{where}: unknown column {unknown[0]!r}. {survey.name} has "
            f"{', '.join(names) or 'none'}. Add it to surveys.py."
        )
    rows = [[alert.metadata.get(name, np.nan) for name in names] for alert in alerts]
    return np.array(rows, np.float64)


def _history(where, survey: Survey, history: Iterable, notes: list) -> dict:
    """Returns the columns of the history, sorted by time, each row once."""
    rows = list(history)
    band = band_index(where, survey, [row.band for row in rows] or np.zeros(0, int))
    table = np.array([(r.mjd, r.kind, r.flux, r.flux_error) for r in rows], float)
    mjd, kind, flux, error = table.reshape(-1, 4).T
    known = np.isfinite(mjd) & np.isfinite(flux)
    if not known.all():
        notes.append(f"{int((~known).sum())} history rows have no number: dropped.")
    # np.unique sorts by time first. An unknown error is -1, since NaN differs from NaN.
    error = np.where(error >= 0, error, -1)
    columns = np.stack([mjd, band, kind, flux, error], axis=1)[known]
    mjd, band, kind, flux, error = np.unique(columns, axis=0).T
    return {
        "history_mjd": mjd,
        "history_band": band.astype(np.int32),
        "history_kind": kind.astype(np.int32),
        "history_flux": flux.astype(np.float32),
        "history_flux_error": np.where(error < 0, np.nan, error).astype(np.float32),
    }
