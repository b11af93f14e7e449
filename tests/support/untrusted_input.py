"""Untrusted input for the readers of alerts, and limits of what reading may cost."""

import contextlib
import io
import tarfile
import time
import tracemalloc

import numpy as np

from data_builders.ztf import ztf_alerts
from support import ztf_packets

STAMPS = [ztf_packets.pixels(seed, (9, 9)) for seed in range(3)]


def tarred(*members):
    """A tar archive of pairs of a TarInfo, or a name, and bytes."""
    opened = io.BytesIO()
    with tarfile.open(fileobj=opened, mode="w") as tar:
        for info, data in members:
            info = tarfile.TarInfo(info) if isinstance(info, str) else info
            info.size = len(data) if info.type == tarfile.REGTYPE else info.size
            tar.addfile(info, io.BytesIO(data))
    return opened.getvalue()


@contextlib.contextmanager
def resource_limits(*, mebibytes, seconds=20):
    """Fails if the block allocates more memory or takes more CPU time."""
    start = time.process_time()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mebibytes * 2**20, f"{peak / 2**20:.0f} MiB"
    assert time.process_time() - start < seconds


def read_alerts(folder, data, name="a.avro"):
    """The readings of a file with these bytes: each is a record or has notes."""
    (folder / name).write_bytes(data)
    readings = list(ztf_alerts.read(folder / name))
    for reading in readings:
        assert reading.object_id.isprintable()
        if reading.record is None:
            assert reading.notes
        else:
            assert reading.record.stamp.shape[1:] == (63, 63, 3)
            assert np.isfinite(reading.record.stamp).all()
        assert all(note and len(note) < 1000 for note in reading.notes)
    return readings


def refusal_of(folder, data, **options):
    """The notes of a file with these bytes, of which no alert can be read."""
    readings = read_alerts(folder, data, **options)
    assert readings
    assert not any(reading.record for reading in readings)
    return " ".join(note for reading in readings for note in reading.notes)
