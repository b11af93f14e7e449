"""Packets shaped like ZTF's, written with fastavro, for tests that read them."""

import copy
import gzip
import io

import fastavro
import numpy as np
from astropy.io import fits

NULL_FLOAT, NULL_TEXT = ["null", "float"], ["null", "string"]
JD = 2459000.5  # MJD 59000


def record_type(name, fields):
    fields = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "name": name, "namespace": "ztf.alert", "fields": fields}


CUTOUT = record_type("cutout", {"fileName": "string", "stampData": "bytes"})
POINT = {
    "jd": "double",
    "fid": "int",
    "pdiffimfilename": NULL_TEXT,
    "candid": ["null", "long"],
    "isdiffpos": NULL_TEXT,
    "magpsf": NULL_FLOAT,
    "sigmapsf": NULL_FLOAT,
    "diffmaglim": NULL_FLOAT,
}
FORCED = {
    "jd": "double",
    "fid": "int",
    "magzpsci": NULL_FLOAT,
    "forcediffimflux": NULL_FLOAT,
    "forcediffimfluxunc": NULL_FLOAT,
    "procstatus": NULL_TEXT,
}
CANDIDATE = {
    **POINT,
    "isdiffpos": "string",
    "programid": "int",
    "ra": "double",
    "dec": "double",
    "xpos": NULL_FLOAT,
    "ypos": NULL_FLOAT,
    "rb": NULL_FLOAT,
    "drb": NULL_FLOAT,
    "ssdistnr": NULL_FLOAT,
    "sgscore1": NULL_FLOAT,
    "ndethist": "int",
    "ncovhist": "int",
    "jdstarthist": ["null", "double"],
    "rbversion": "string",
}
SCHEMA = record_type(
    "alert",
    {
        "schemavsn": "string",
        "objectId": "string",
        "candid": "long",
        "candidate": record_type("candidate", CANDIDATE),
        "prv_candidates": [
            "null",
            {"type": "array", "items": record_type("prv_candidate", POINT)},
        ],
        "fp_hists": [
            "null",
            {"type": "array", "items": record_type("fp_hist", FORCED)},
        ],
        "cutoutScience": ["null", CUTOUT],
        "cutoutTemplate": ["null", "ztf.alert.cutout"],
        "cutoutDifference": ["null", "ztf.alert.cutout"],
    },
)


def stamp_file(pixels, **header):
    """A stamp as ZTF stores it: gzipped FITS."""
    opened = io.BytesIO()
    hdu = fits.PrimaryHDU(np.asarray(pixels, ">f4"))
    hdu.header.update(header)
    hdu.writeto(opened)
    return gzip.compress(opened.getvalue(), 1)


def cutout(pixels):
    return pixels and {"fileName": "a.fits.gz", "stampData": pixels}


def pixels(seed, shape=(63, 63)):
    return np.random.default_rng(seed).normal(100, 9, shape).astype(np.float32)


def packet(object_id="ZTF18abcdefg", candid=1, *, days=0.0, stamps=None, **candidate):
    """One packet; stamps are three arrays, or bytes, or None."""
    stamps = [pixels(candid + i) for i in range(3)] if stamps is None else stamps
    stored = [stamp_file(s) if isinstance(s, np.ndarray) else s for s in stamps]
    values = dict(
        jd=JD + days,
        fid=2,
        candid=candid,
        isdiffpos="t",
        magpsf=18.9,
        sigmapsf=0.1,
        diffmaglim=20.4,
        programid=1,
        ra=150.0,
        dec=2.0,
        ssdistnr=-999.0,
        sgscore1=0.5,
        ndethist=3,
        ncovhist=10,
        jdstarthist=JD + days - 7,
        rbversion="t17",
    )
    return {
        "schemavsn": "4.02",
        "objectId": object_id,
        "candid": candid,
        "candidate": values | candidate,
        "prv_candidates": None,
        "fp_hists": None,
        "cutoutScience": cutout(stored[0]),
        "cutoutTemplate": cutout(stored[1]),
        "cutoutDifference": cutout(stored[2]),
    }


def container(*packets, schema=SCHEMA, codec="null", interval=1):
    """The bytes of an object container file, by default a block to a packet."""
    opened = io.BytesIO()
    parsed = fastavro.parse_schema(copy.deepcopy(schema))
    fastavro.writer(opened, parsed, packets, codec=codec, sync_interval=interval)
    return opened.getvalue()


def zigzag(number):
    """A whole number as Avro writes it."""
    number, raw = number << 1 ^ number >> 70, b""
    while number > 127:
        raw, number = raw + bytes([number & 127 | 128]), number >> 7
    return raw + bytes([number])


def framed(schema, blocks, *, codec=b"null", sync=b"s" * 16):
    """A container with these headers and blocks, however wrong they are."""
    entries = {b"avro.schema": schema, b"avro.codec": codec}
    head = b"".join(zigzag(len(t)) + t for entry in entries.items() for t in entry)
    framed = [zigzag(n) + zigzag(len(data)) + data + sync for n, data in blocks]
    return b"Obj\x01" + zigzag(2) + head + zigzag(0) + sync + b"".join(framed)
