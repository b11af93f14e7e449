"""ZTF alert packets of schemas 1 to 4, as alerts and points of light curves."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from jaxastro.alerts.avro import Reader, reader_of
from jaxastro.alerts.ztf_stamp import read_stamp
from jaxastro.data.alert import (
    DETECTION,
    FORCED,
    LIMIT,
    Alert,
    AlertRecord,
    HistoryRow,
    make_alert_record,
)
from jaxastro.errors import RecordError
from jaxastro.surveys import SURVEYS, UNLABELLED, Survey
from jaxastro.units import MICROJANSKY_ZERO_POINT, MJD_ZERO, flux_error_of, flux_of

CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
OLD_NAMES = {"sgscore": "sgscore1", "distpsnr": "distpsnr1"}  # before schema 3
DERIVED = ("age", "nnotdet")  # columns that are not fields of a packet
BANDS = {1: 0, 2: 1, 3: 2}  # fid -> g, r, i
SIGNS = {"t": 1, "1": 1, "f": -1, "0": -1}  # of isdiffpos
SENTINELS = (-999.0, -99999.0)  # unknown, in catalogues and in forced photometry
CHIP = (3080, 3072)  # y x, pixels of a readout channel
MAX_FLUX = 1e30  # microjansky; larger values are errors (float32 ends at 1e38)
JPEG = b"\xff\xd8"


def _record_fields() -> dict:
    """Returns the fields of a packet that a record uses, for `avro.reader_of`."""
    columns = {name for name, _ in SURVEYS["ztf_alerts"].columns}.difference(DERIVED)
    candidate = {"jd", "fid", "xpos", "ypos", "jdstarthist", *columns, *OLD_NAMES}
    point = ("jd", "fid", "candid", "isdiffpos", "magpsf", "sigmapsf", "diffmaglim")
    forced = ("jd", "fid", "forcediffimflux", "forcediffimfluxunc", "magzpsci")
    return {
        "objectId": True,
        "candid": True,
        "candidate": dict.fromkeys(candidate, True),
        "prv_candidates": [dict.fromkeys(point, True)],
        "fp_hists": [dict.fromkeys(forced, True)],
        **{name: {"stampData": True} for name in CUTOUTS},
    }


FIELDS = _record_fields()


@lru_cache(maxsize=16)  # a night has one schema, a folder a few
def packet_reader(schema: bytes) -> Reader:
    """Returns the reader of the fields that a record uses, for packets of a schema."""
    return reader_of(schema, FIELDS)


class ZtfPacket(NamedTuple):
    """One decoded packet."""

    object_id: str
    ra: float  # degrees
    dec: float  # degrees
    magnitude: float  # of this detection
    alert: Alert
    detection: HistoryRow
    history: dict[tuple, HistoryRow]  # key: equal for the same point of all packets
    notes: tuple[str, ...]


def read_packet(packet: dict, survey: Survey) -> ZtfPacket:
    """Returns a decoded packet, in microjansky and days.

    Args:
        packet: those of FIELDS that it has.
        survey: with columns and image size.

    Raises:
        RecordError: if a required field is missing or invalid, or a stamp cannot be
            read.
    """
    object_id, candid = packet.get("objectId"), packet.get("candid")
    named = isinstance(object_id, str) and 0 < len(object_id) < 100
    if not named or not object_id.isprintable():
        raise RecordError(f"objectId is {object_id!r:.100}; a name is expected.")
    if not isinstance(candid, int) or not -(2**63) <= candid < 2**63:
        raise RecordError(
            f"candid is {candid!r:.100}; a number of 64 bits is expected."
        )
    found = packet.get("candidate") or {}
    candidate = {OLD_NAMES.get(name, name): value for name, value in found.items()}
    candidate["candid"] = candid
    mjd, band, sign = _mjd(candidate), _band(candidate), _sign(candidate)
    if not 50000 < mjd < 100000 or band is None or math.isnan(sign):
        values = {name: candidate.get(name) for name in ("jd", "fid", "isdiffpos")}
        raise RecordError(
            f"{values!s:.200}; a Julian date, 1 to 3, t or f are expected."
        )
    stamps, notes = _stamps(packet, candidate, survey.image_size)
    if stamps[2] is not None:
        stamps[2] = stamps[2] * sign  # stored as template - science if isdiffpos is f
    metadata = _metadata(candidate, survey)
    return ZtfPacket(
        object_id=object_id,
        ra=metadata["ra"],
        dec=metadata["dec"],
        magnitude=metadata["magpsf"],
        alert=Alert(candid, mjd, band, tuple(stamps), metadata),
        detection=_point(candidate)[1],
        history=dict(_history(packet)),
        notes=notes,
    )


def make_ztf_record(
    object_id: str, survey: Survey, packets: list[ZtfPacket], *, label: str, group: str
) -> tuple[AlertRecord, tuple[str, ...]]:
    """Returns the record of an object, and one note for each repair.

    Its position is that of its brightest alert, which has the smallest error.

    Raises:
        RecordError: as `make_alert_record` does.
    """
    packets = sorted(packets, key=lambda packet: packet.alert.mjd)
    history = {}
    for packet in packets:
        history |= packet.history
    for packet in packets:  # later packets repeat it with rounded magnitudes
        history[_key(packet.detection, packet.alert.alert_id)] = packet.detection
    best = min(packets, key=lambda p: (math.isnan(p.magnitude), p.magnitude))
    record, notes = make_alert_record(
        object_id,
        survey,
        alerts=[packet.alert for packet in packets],
        history=history.values(),
        label=label,
        label_source="none" if label == UNLABELLED else "catalogue",
        ra=best.ra,
        dec=best.dec,
        group=group,
    )
    return record, (*(note for packet in packets for note in packet.notes), *notes)


def _stamps(packet: dict, candidate: dict, size: int) -> tuple[list, tuple[str, ...]]:
    """Returns science, template and difference as stored in the packet, and notes."""
    stamps, previews = [], 0
    for name in CUTOUTS:
        stored = (packet.get(name) or {}).get("stampData") or b""
        if not isinstance(stored, bytes):
            raise RecordError(f"stampData of {name} is {stored!r:.20}; bytes expected.")
        is_preview = stored.startswith(JPEG)
        previews += is_preview
        is_image = stored and not is_preview
        stamps.append(
            _placed(read_stamp(stored), candidate, size) if is_image else None
        )
    note = f"alert {packet['candid']}: {previews} stamps are JPEG, no measurements."
    return stamps, (note,) if previews else ()


def _placed(stamp: np.ndarray, candidate: dict, size: int) -> np.ndarray:
    """Returns [size size] with the candidate in the centre, NaN outside of the chip.

    At the edge of a chip, the stored stamp has fewer pixels and is not centred.
    """
    if stamp.shape == (size, size):
        return stamp
    if max(stamp.shape) > size:
        raise RecordError(f"a stamp of {stamp.shape} pixels; at most {size} expected.")
    place = []
    for have, chip, name in zip(stamp.shape, CHIP, ("ypos", "xpos"), strict=True):
        position = _number(candidate.get(name))
        start = size // 2 - have // 2  # without a position: centred
        if position < chip / 2:
            start = size - have  # pixels are missing at the lower edge
        elif position >= chip / 2:
            start = 0
        place.append(slice(start, start + have))
    placed = np.full((size, size), np.nan, np.float32)
    placed[tuple(place)] = stamp
    return placed


def _metadata(candidate: dict, survey: Survey) -> dict[str, float]:
    names = {name for name, _ in survey.columns}.difference(DERIVED, ("isdiffpos",))
    metadata = {name: _number(candidate.get(name)) for name in names}
    metadata["isdiffpos"] = _sign(candidate)
    metadata["age"] = _mjd(candidate) - _mjd(candidate, "jdstarthist")
    metadata["nnotdet"] = metadata["ncovhist"] - metadata["ndethist"]
    return metadata


def _history(packet: dict) -> Iterator[tuple[tuple, HistoryRow]]:
    """Yields the light curve in a packet, without its own detection."""
    for row in packet.get("prv_candidates") or ():
        if row:
            yield _point(row)
    for row in packet.get("fp_hists") or ():
        if row:
            # The flux is in DN; one DN has the magnitude magzpsci.
            scale = _microjansky(_number(row.get("magzpsci")))
            flux, error = (
                _number(row.get(name)) * scale
                for name in ("forcediffimflux", "forcediffimfluxunc")
            )
            point = _row(row, FORCED, flux, error)
            yield _key(point, None), point


def _point(row: dict) -> tuple[tuple, HistoryRow]:
    """Returns a detection, or else the upper limit, and its key."""
    magnitude, kind = _number(row.get("magpsf")), DETECTION
    if math.isnan(magnitude):
        kind, flux = LIMIT, _microjansky(_number(row.get("diffmaglim")))
        error = flux / 5  # it is a limit of 5 sigma
    else:
        flux = _sign(row) * _microjansky(magnitude)
        error = flux_error_of(abs(flux), _number(row.get("sigmapsf")))
    point = _row(row, kind, flux, error)
    return _key(point, row.get("candid")), point


def _row(row: dict, kind: int, flux: float, error: float) -> HistoryRow:
    band = _band(row)
    if band is None or not abs(flux) < MAX_FLUX:
        band, flux = 0, math.nan  # such rows are dropped and counted
    return HistoryRow(_mjd(row), band, kind, flux, min(error, MAX_FLUX))


def _key(point: HistoryRow, candid) -> tuple:
    return point.kind, point.mjd, point.band, candid


def _mjd(row: dict, name: str = "jd") -> float:
    return _number(row.get(name)) - MJD_ZERO


def _band(row: dict) -> int | None:
    return BANDS.get(row.get("fid"))


def _sign(row: dict) -> float:
    return SIGNS.get(row.get("isdiffpos"), math.nan)


def _microjansky(magnitude: float) -> float:
    is_possible = abs(magnitude - MICROJANSKY_ZERO_POINT) < 75  # the flux can be stored
    return flux_of(magnitude) if is_possible else math.nan


def _number(value) -> float:
    """Returns a number, NaN if it is missing or a sentinel."""
    if value is None or value in SENTINELS:
        return math.nan
    if not isinstance(value, int | float):
        raise RecordError(f"{value!r:.50} instead of a number.")
    return float(value)
