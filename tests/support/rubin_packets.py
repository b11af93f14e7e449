"""Packets like Rubin's, made here: a small schema of our own, cutouts, messages."""

import io
import json
import struct

import fastavro
import numpy as np
from astropy.io import fits


def maybe(kind, *names):
    """Fields that hold that Avro type, or null."""
    return {name: ["null", kind] for name in names}


SOURCE = {  # field -> Avro type
    **dict.fromkeys(("diaSourceId", "visit"), "long"),
    **maybe("long", "diaObjectId", "ssObjectId"),
    **dict.fromkeys(("midpointMjdTai", "ra", "dec"), "double"),
    **maybe("float", "psfFlux", "psfFluxErr", "snr", "reliability"),
    **maybe("boolean", "isNegative", "isDipole"),
    "bboxSize": "int",
    **maybe("string", "band"),
    **maybe("double", "timeWithdrawnMjdTai"),
}
FORCED = {
    **maybe("float", "psfFlux", "psfFluxErr"),
    "midpointMjdTai": "double",
    "band": "string",
    **maybe("double", "timeWithdrawnMjdTai"),
}
LIMIT = {"midpointMjdTai": "double", "band": "string", "diaNoise": "float"}
OBJECT = {"diaObjectId": "long", "ra": "double", "dec": "double", "nDiaSources": "int"}
CUTOUTS = ("cutoutDifference", "cutoutScience", "cutoutTemplate")


def write_schema(folder, major=11, minor=0, renamed=()):
    """Writes a schema as Rubin does, a file for each record; returns the folder."""
    space, renamed = f"lsst.v{major}_{minor}", dict(renamed)
    source = {renamed.get(name, name): kind for name, kind in SOURCE.items()}
    records = {
        "diaSource": source,
        "diaForcedSource": FORCED,
        "diaNondetectionLimit": LIMIT,
        "diaObject": OBJECT,
    }

    def array_of(name):
        return ["null", {"type": "array", "items": f"{space}.{name}"}]

    records["alert"] = {
        "diaSourceId": "long",
        "diaSource": f"{space}.diaSource",
        "prvDiaSources": array_of("diaSource"),
        "prvDiaForcedSources": array_of("diaForcedSource"),
        "prvDiaNondetectionLimits": array_of("diaNondetectionLimit"),
        "diaObject": ["null", f"{space}.diaObject"],
        **maybe("bytes", *CUTOUTS),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, fields in records.items():
        schema = {
            "type": "record",
            "namespace": space,
            "name": name,
            "fields": [{"name": n, "type": kind} for n, kind in fields.items()],
        }
        (folder / f"{space}.{name}.avsc").write_text(json.dumps(schema))
    return folder


def schema_in(folder, major=11, minor=0):
    """The schema of a folder as fastavro reads it, which is none of our code."""
    (path,) = folder.rglob(f"lsst.v{major}_{minor}.alert.avsc")
    return fastavro.schema.load_schema(path)


def source_of(**fields):
    """A detection; what is not given is as usual, or null."""
    return dict.fromkeys(SOURCE) | {
        "diaSourceId": 169813006680588318,
        "visit": 2026010100042,
        "diaObjectId": 169813006680588300,
        "midpointMjdTai": 61041.25,
        "ra": 59.5,
        "dec": -48.0,
        "psfFlux": 1500.0,
        "psfFluxErr": 250.0,
        "bboxSize": 12,
        "band": "i",
        **fields,
    }


def packet_of(*, sizes=(30, 30, 30), **fields):
    """A packet with three cutouts of some sizes, 0 for none."""
    source = fields.pop("diaSource", None) or source_of()
    usual = {
        "diaSourceId": source["diaSourceId"],
        "diaSource": source,
        "prvDiaSources": None,
        "prvDiaForcedSources": None,
        "prvDiaNondetectionLimits": None,
        "diaObject": None,
    }
    names = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
    for seed, (name, size) in enumerate(zip(names, sizes, strict=True)):
        usual[name] = cutout_of(size, seed=seed) if size else None
    return usual | fields


def pixels_of(size, seed=0):
    """The image of a cutout, nanojansky."""
    return np.random.default_rng(seed).normal(100, 30, (size, size)).astype(np.float32)


def cutout_of(size=30, *, seed=0, image=None, variance=None, psf_sigma=2.0):
    """A cutout as Rubin writes it, by astropy."""
    image = pixels_of(size, seed) if image is None else image
    variance = np.full_like(image, 900.0) if variance is None else variance
    y, x = np.mgrid[-20:21, -20:21]
    psf = np.exp(-(y**2 + x**2) / (2 * psf_sigma**2))
    primary = fits.PrimaryHDU(image)
    primary.header["BUNIT"] = "nJy"
    # +y of the stamp points 30 degrees east of north, east to the left.
    turn = np.radians(30)
    wcs = (-np.cos(turn), np.sin(turn), np.sin(turn), np.cos(turn))
    for name, step in zip(("PC1_1", "PC1_2", "PC2_1", "PC2_2"), wcs, strict=True):
        primary.header[name] = step * 0.2 / 3600
    primary.header["CDELT1"] = primary.header["CDELT2"] = 1.0
    hdus = [
        primary,
        fits.ImageHDU(variance, name="UNCERT"),
        fits.ImageHDU(psf, name="PSFIMAGE"),
    ]
    stored = io.BytesIO()
    fits.HDUList(hdus).writeto(stored)
    return stored.getvalue()


def message_of(packet, schema, schema_id=1100):
    """A packet on the wire."""
    stored = io.BytesIO()
    stored.write(struct.pack(">bI", 0, schema_id))
    fastavro.schemaless_writer(stored, schema, packet)
    return stored.getvalue()
