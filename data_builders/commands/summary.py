"""Counts of raw data as they are read, in memory that the data cannot increase."""

import collections
import datetime
import re

import numpy as np

from jaxastro.data.record import Reading, frames_of
from jaxastro.surveys import Survey
from jaxastro.units import MJD_ZERO_DATE

MAX_REASONS = 200  # kinds of reasons that are kept; damaged data may have many more


class Summary:
    """Counts of records, epochs, bands, labels and reasons of a survey's raw data."""

    def __init__(self, survey: Survey):
        self._survey = survey
        self._counts = collections.Counter()
        self._labels = collections.Counter()
        self._sources = collections.Counter()
        self._bands = collections.Counter()
        self._sizes = collections.Counter()
        self._reasons_set_aside = {}
        self._reasons_repaired = {}
        self._epochs = [np.inf, 0, -np.inf]  # fewest, sum, most
        self._mjd = [np.inf, -np.inf]

    def add(self, reading: Reading) -> None:
        """Counts one object that a reader yielded."""
        record = reading.record
        is_set_aside = record is None
        self._counts["objects"] += 1
        self._counts["set aside"] += is_set_aside
        self._counts["repaired"] += not is_set_aside and bool(reading.notes)
        reasons = self._reasons_set_aside if is_set_aside else self._reasons_repaired
        for note in reading.notes:
            kind = reason_of(note, reading.object_id)
            if kind in reasons or len(reasons) < MAX_REASONS:
                count, first = reasons.get(kind, (0, note))
                reasons[kind] = count + 1, first
            else:
                self._counts["further reasons"] += 1
        if record is not None:
            self._add_record(record)

    def _add_record(self, record: tuple) -> None:
        self._labels[record.label] += 1
        self._sources[record.label_source] += 1
        self._counts["with position"] += bool(np.isfinite(record.ra + record.dec))
        flux, _, _ = frames_of(record)
        if flux is not None:
            self._sizes["x".join(map(str, flux.shape[1:]))] += 1
        if not hasattr(record, "mjd"):
            return
        epochs = len(record.mjd)
        fewest, total, most = self._epochs
        self._epochs = [min(fewest, epochs), total + epochs, max(most, epochs)]
        names, counts = np.unique(record.band, return_counts=True)
        for band, count in zip(names.tolist(), counts.tolist(), strict=True):
            is_known = band < len(self._survey.bands)
            self._bands[self._survey.bands[band] if is_known else str(band)] += count
        if epochs:
            first, last = self._mjd
            self._mjd = [min(first, record.mjd.min()), max(last, record.mjd.max())]

    @property
    def num_records(self) -> int:
        """Number of objects that became records."""
        return self._counts["objects"] - self._counts["set aside"]

    def counts(self) -> dict:
        """Returns all counts, ready for JSON."""
        counts = {
            "survey": self._survey.name,
            "kind": self._survey.kind,
            "unit": self._survey.unit,
            "objects": self._counts["objects"],
            "records": self.num_records,
            "set_aside": self._counts["set aside"],
            "repaired": self._counts["repaired"],
            "with_position": self._counts["with position"],
            "labels": dict(self._labels.most_common()),
            "label_sources": dict(self._sources.most_common()),
            "bands": dict(self._bands.most_common()),
            "image_sizes": dict(self._sizes.most_common(10)),
            "reasons_set_aside": _by_count(self._reasons_set_aside),
            "reasons_repaired": _by_count(self._reasons_repaired),
            "further_reasons": self._counts["further reasons"],
        }
        fewest, total, most = self._epochs
        if total:
            mean = round(total / self.num_records, 1)
            counts["epochs"] = {"fewest": fewest, "mean": mean, "most": most}
            counts["mjd"] = {"first": float(self._mjd[0]), "last": float(self._mjd[1])}
            counts["dates"] = [date_of(mjd) for mjd in self._mjd]
        return counts


def reason_of(note: str, object_id: str) -> str:
    """Returns a note without names and numbers, to count equal reasons together."""
    if object_id:
        note = re.sub(rf"(?<!\w){re.escape(object_id)}(?!\w)", "...", note)
    return re.sub(r"-?\d[\d.]*(e[+-]?\d+)?", "N", note[:500])


def date_of(mjd: float) -> str:
    """Returns the date of a modified Julian date, "no calendar date" if it has none."""
    try:
        return (MJD_ZERO_DATE + datetime.timedelta(days=float(mjd))).isoformat()
    except OverflowError:
        return "no calendar date"


def _by_count(reasons: dict) -> list[dict]:
    """Returns the count and the first message of each reason, most frequent first."""
    return [
        {"count": count, "example": first}
        for count, first in sorted(reasons.values(), key=lambda each: -each[0])
    ]
