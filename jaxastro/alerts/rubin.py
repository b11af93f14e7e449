"""Rubin alert packets of schemas 7 to 11, as alerts and points of light curves.

A message is a header of five bytes, then one packet in Avro without its schema:
    byte 0: zero    bytes 1 to 4: the number of the schema, big-endian
The number is 100 major + minor: schema 11.0 is 1100.
"""

import math
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import erfa
import numpy as np

from jaxastro.alerts.avro import Reader, reader_of
from jaxastro.alerts.rubin_cutout import (
    RubinCutout,
    read_cutout,
    width_at_half_maximum,
)
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
from jaxastro.surveys import SURVEYS
from jaxastro.units import NANOJANSKY

SURVEY = SURVEYS["rubin_alerts"]
BANDS = {band: index for index, band in enumerate(SURVEY.bands)}
HEADER = struct.Struct(">bI")
SMALLEST = 30  # pixels, the side of the smallest cutout
MAX_FLUX = 1e30  # microjansky; larger values are errors (float32 ends at 1e38)
OLD_NAMES = {"isNegative": "is_negative"}  # in schema 7
CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
HISTORIES = {  # array -> kind of its rows, fields of flux and error
    "prvDiaSources": (DETECTION, "psfFlux", "psfFluxErr"),
    "prvDiaForcedSources": (FORCED, "psfFlux", "psfFluxErr"),
    "prvDiaNondetectionLimits": (LIMIT, "diaNoise", "diaNoise"),  # until schema 7
}
# Fields that are read: for the position alone, and for a record.
_IDS = dict.fromkeys(("diaSourceId", "diaObjectId", "ssObjectId", "ra", "dec"), True)
_POINT = dict.fromkeys(("midpointMjdTai", "band", "timeWithdrawnMjdTai"), True)
POSITION = {"diaSource": _IDS, "diaObject": {"ra": True, "dec": True}}
PACKET = {
    "diaSource": _IDS
    | _POINT
    | {name: True for name, _ in SURVEY.columns}
    | dict.fromkeys(OLD_NAMES.values(), True),
    "diaObject": {"ra": True, "dec": True, "nDiaSources": True},
    **{name: [_POINT | {f: True, e: True}] for name, (_, f, e) in HISTORIES.items()},
    **dict.fromkeys(CUTOUTS, True),
}


class RubinPacket(NamedTuple):
    """One decoded packet."""

    object_id: str
    moves: bool  # a body of the solar system
    ra: float  # degrees; of the object, or of this detection if it moves
    dec: float  # degrees
    alert: Alert
    history: tuple[HistoryRow, ...]


def schema_id_of(message: bytes) -> int | None:
    """Returns the number of the schema in a message's header; None if it has none."""
    if len(message) <= HEADER.size:
        return None
    magic, schema_id = HEADER.unpack_from(message)
    major, minor = divmod(schema_id, 100)
    # Narrow limits, as other files begin with zeros too: mp4 would be schema 62.46.
    is_one = magic == 0 and 1 <= major < 40 and minor < 20
    return schema_id if is_one else None


def version_of(schema_id: int) -> str:
    """Returns "11.0" for 1100."""
    return f"{schema_id // 100}.{schema_id % 100}"


@lru_cache(maxsize=64)
def packet_reader(schema: bytes, *, position_only: bool = False) -> Reader:
    """Returns the reader of the fields that are used, for packets of a JSON schema."""
    return reader_of(schema, POSITION if position_only else PACKET)


def decode(message: bytes, read: Reader) -> dict:
    """Returns the fields of a message.

    Raises:
        RecordError: if the message does not follow the schema of the reader.
    """
    packet, end = read(message, HEADER.size)
    if end != len(message):
        raise RecordError(
            f"{len(message)} bytes, of which its schema reads {end}. One message per "
            "file is expected. Download the alert again."
        )
    return packet


def position_of(packet: dict) -> tuple[str, bool, float, float]:
    """Returns an object's name, whether it moves, and right ascension and declination.

    A source without a diaObject is a known body of the solar system, or an object of
    one source. A source with both belongs to the diaObject, as in Rubin's brokers.

    Raises:
        RecordError: if it is no Rubin packet.
    """
    source, static = packet.get("diaSource"), packet.get("diaObject") or {}
    if not isinstance(source, dict) or source.get("diaSourceId") is None:
        raise RecordError(
            f"it has the fields {', '.join(map(str, packet))[:200]}. A diaSource with "
            "a diaSourceId is expected. Remove it."
        )
    ra, dec = _number(source.get("ra")), _number(source.get("dec"))
    if dia_object := _identifier(source, "diaObjectId"):
        better = _number(static.get("ra")), _number(static.get("dec"))
        ra, dec = better if np.isfinite(better).all() else (ra, dec)
        return str(dia_object), False, ra, dec
    if solar_system_object := _identifier(source, "ssObjectId"):
        return f"SSO{solar_system_object}", True, ra, dec
    return f"source{_identifier(source, 'diaSourceId')}", False, ra, dec


@np.errstate(all="ignore")  # overflows become NaN
def read_packet(packet: dict) -> RubinPacket:
    """Returns a decoded packet, in microjansky and UTC.

    Args:
        packet: from Avro or a broker's Parquet; a missing field equals a null field.

    Raises:
        RecordError: if it is no Rubin packet, or a part of it cannot be read.
    """
    object_id, moves, ra, dec = position_of(packet)
    source = packet["diaSource"]
    (mjd,), band = _utc([source]), str(source.get("band"))
    if math.isnan(mjd) or band not in BANDS:
        raise RecordError(
            f"its midpointMjdTai is {source.get('midpointMjdTai')!r:.40}, its band "
            f"{band!r:.40}. A modified Julian date and one of "
            f"{', '.join(BANDS)} are expected. Remove it."
        )
    cutouts = [_cutout(packet.get(name)) for name in CUTOUTS]
    alert = Alert(
        alert_id=_identifier(source, "diaSourceId"),
        mjd=mjd,
        band=BANDS[band],
        stamps=tuple(_stamp(cutout) if cutout else None for cutout in cutouts),
        metadata=_metadata(packet, *cutouts),
    )
    return RubinPacket(object_id, moves, ra, dec, alert, tuple(_history(packet)))


def make_rubin_record(
    object_id: str, packets: Iterable[RubinPacket], *, group: str = ""
) -> tuple[AlertRecord, tuple[str, ...]]:
    """Returns the record of an object, and one note for each repair.

    Raises:
        RecordError: as `make_alert_record` does.
    """
    packets = sorted(packets, key=lambda packet: packet.alert.mjd)
    record, notes = make_alert_record(
        object_id,
        SURVEY,
        alerts=[packet.alert for packet in packets],
        history=[row for packet in packets for row in packet.history],
        ra=packets[-1].ra,  # the mean of a diaObject, best in the last packet
        dec=packets[-1].dec,
        group=group,
    )
    if not record.stamp.size:  # TFDS cannot read an image without pixels
        blank = np.zeros((len(record.mjd), SMALLEST, SMALLEST, 3), np.float32)
        record = record._replace(stamp=blank, bad_pixel=blank == 0)
    return record, notes


def _cutout(stored) -> RubinCutout | None:
    if not isinstance(stored, bytes | None):
        raise RecordError(f"a cutout is {stored!r:.40}; bytes are expected.")
    return read_cutout(stored) if stored else None


def _stamp(cutout: RubinCutout) -> np.ndarray:
    """Returns the image in microjansky, NaN where it is no measurement."""
    image = cutout.image * np.float32(NANOJANSKY)
    if cutout.variance is not None:
        image[~np.isfinite(cutout.variance)] = np.nan
    return image


def _metadata(
    packet: dict,
    science: RubinCutout | None,
    template: RubinCutout | None,
    difference: RubinCutout | None,
) -> dict[str, float]:
    source, values = packet["diaSource"], {}
    for name, unit in SURVEY.columns:
        value = source.get(name, source.get(OLD_NAMES.get(name)))
        scale = NANOJANSKY if unit == "microjansky" else 1
        values[name] = _number(value) * scale
    values["nDiaSources"] = _number((packet.get("diaObject") or {}).get("nDiaSources"))
    values["isSolarSystem"] = float(_number(source.get("ssObjectId")) > 0)
    for name, cutout in (("seeing", science), ("templateSeeing", template)):
        width = width_at_half_maximum(cutout.psf) if cutout else np.nan
        values[name] = width * SURVEY.pixel_scale
    cutout = science or difference
    values["stampRotation"] = cutout.rotation if cutout else np.nan
    if difference and difference.variance is not None:
        good = difference.variance[difference.variance > 0]
        noise = np.sqrt(np.median(good)) if good.size else np.nan
        values["stampNoise"] = float(noise) * NANOJANSKY
    return {name: _number(value) for name, value in values.items()}


def _history(packet: dict) -> Iterator[HistoryRow]:
    """Yields the light curve in a packet, with its own detection."""
    own = {"prvDiaSources": [packet["diaSource"]]}
    for name, (kind, flux, error) in HISTORIES.items():
        rows = [*(packet.get(name) or ()), *own.get(name, ())]
        rows = [row for row in rows if row and not _is_withdrawn(row)]
        scale = 5 * NANOJANSKY if kind == LIMIT else NANOJANSKY
        for row, mjd in zip(rows, _utc(rows), strict=True):
            value, spread = _number(row.get(flux)), _number(row.get(error))
            band = BANDS.get(str(row.get("band")))
            if band is None or not abs(value) < MAX_FLUX:
                band, value = 0, math.nan  # such rows are dropped and counted
            yield HistoryRow(
                mjd=mjd,
                band=band,
                kind=kind,
                flux=value * scale,
                flux_error=min(spread * NANOJANSKY, MAX_FLUX),
            )


def _is_withdrawn(row: dict) -> bool:
    return _number(row.get("timeWithdrawnMjdTai")) > 0


def _utc(rows: list[dict]) -> list[float]:
    """Returns times in UTC, days, from TAI, which is 37 s ahead since 2017."""
    tai = np.array([_number(row.get("midpointMjdTai")) for row in rows])
    known = (tai > 50_000) & (tai < 100_000)  # from 1995 to 2132
    # astropy.time uses ERFA too; it takes a Julian date in two parts.
    tai[known] = erfa.taiutc(erfa.DJM0, tai[known])[1]
    tai[~known] = np.nan
    return tai.tolist()


def _number(value) -> float:
    """Returns a number, NaN if it is missing."""
    if not isinstance(value, int | float | None):
        raise RecordError(f"{value!r:.40} instead of a number.")
    return float(value) if value is not None and math.isfinite(value) else math.nan


def _identifier(source: dict, name: str) -> int:
    """Returns an identifier, 0 if it is missing, as in some tables.

    A table that stores it as a float has lost its last digits, which is an error.
    """
    value = source.get(name)
    if value is None or value != value:
        return 0
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise RecordError(
            f"its {name} is {value!r:.40}. A whole number of 64 bits is expected. "
            "Download the alert from a source that stores whole numbers."
        )
    return value
