"""Random alert records and model inputs."""

import numpy as np

from jaxastro.data.alert import Alert, HistoryRow, make_alert_record
from jaxastro.surveys import SURVEYS
from jaxastro.types import Alerts

SURVEY = SURVEYS["ztf_alerts"]


def make_record(count=3, seed=0, size=63, **changed):
    """An object with `count` alerts of random stamps and metadata."""
    rng = np.random.default_rng(seed)
    names = [name for name, _ in SURVEY.columns]
    alerts = [
        Alert(
            alert_id=t,
            mjd=59000.0 + 3 * t + rng.random(),
            band=int(rng.integers(2)),
            stamps=tuple(rng.normal(50, 9, (size, size)) for _ in range(3)),
            metadata=dict(zip(names, rng.normal(size=len(names)), strict=True)),
        )
        for t in range(count)
    ]
    history = [HistoryRow(a.mjd - 0.1, a.band, 0, 9.0, 1.0) for a in alerts]
    made = {"alerts": alerts, "history": history, "label": "SN"} | changed
    return make_alert_record(f"ZTF{seed}", SURVEY, **made)[0]


def make_alerts(*lengths, epochs=1, size=21, columns=23, seed=0):
    """Model inputs of objects with these numbers of alerts."""
    rng = np.random.default_rng(seed)
    shape = len(lengths), epochs
    return Alerts(
        stamp=rng.normal(size=(*shape, size, size, 3)).astype(np.float32),
        time=np.sort(rng.uniform(0, 30, shape), 1).astype(np.float32),
        band=rng.integers(0, 2, shape).astype(np.int32),
        metadata=rng.normal(size=(*shape, columns)).astype(np.float32),
        metadata_mask=rng.random((*shape, columns)) < 0.8,
        epoch_mask=np.arange(epochs) < np.array(lengths)[:, None],
    )
