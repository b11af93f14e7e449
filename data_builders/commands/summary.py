"""What is in raw data, counted as it is read. Nothing grows with what the data say."""

import collections
import datetime
import re

import numpy as np

from jaxastro.data.record import Reading, frames_of
from jaxastro.surveys import Survey
from jaxastro.units import MJD_ZERO_DATE

KINDS_OF_REASONS = 200  # kept; wild data could have as many as objects


class Summary:
    """Counts of records, epochs, bands, labels and reasons of a survey's raw data."""

    def __init__(self, survey: Survey):
        self._survey = survey
        self._counts = collections.Counter()
        self._labels = collections.Counter()
        self._sources = collections.Counter()
        self._bands = collections.Counter()
        self._sizes = collections.Counter()
        self._reasons = {"set aside": {}, "mended": {}}
        self._epochs = [np.inf, 0, -np.inf]  # least, sum, most
        self._mjd = [np.inf, -np.inf]

    def add(self, reading: Reading) -> None:
        """Counts what a reader yielded."""
        record = reading.record
        self._counts["objects"] += 1
        self._counts["set aside"] += record is None
        self._counts["mended"] += record is not None and bool(reading.notes)
        found = self._reasons["set aside" if record is None else "mended"]
        for note in reading.notes:
            kind = reason_of(note, reading.object_id)
            if kind in found or len(found) < KINDS_OF_REASONS:
                count, first = found.get(kind, (0, note))
                found[kind] = count + 1, first
            else:
                self._counts["other reasons"] += 1
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
        least, total, most = self._epochs
        self._epochs = [min(least, epochs), total + epochs, max(most, epochs)]
        names, counts = np.unique(record.band, return_counts=True)
        for band, count in zip(names.tolist(), counts.tolist(), strict=True):
            known = band < len(self._survey.bands)
            self._bands[self._survey.bands[band] if known else str(band)] += count
        if epochs:
            first, last = self._mjd
            self._mjd = [min(first, record.mjd.min()), max(last, record.mjd.max())]

    @property
    def num_records(self) -> int:
        """How many objects became records."""
        return self._counts["objects"] - self._counts["set aside"]

    def answer(self) -> dict:
        """Returns all counts, as JSON can hold them."""
        answer = {
            "survey": self._survey.name,
            "kind": self._survey.kind,
            "unit": self._survey.unit,
            "objects": self._counts["objects"],
            "records": self.num_records,
            "set_aside": self._counts["set aside"],
            "mended": self._counts["mended"],
            "with_position": self._counts["with position"],
            "labels": dict(self._labels.most_common()),
            "label_sources": dict(self._sources.most_common()),
            "bands": dict(self._bands.most_common()),
            "image_sizes": dict(self._sizes.most_common(10)),
            "why_set_aside": _by_count(self._reasons["set aside"]),
            "what_was_mended": _by_count(self._reasons["mended"]),
            "further_reasons": self._counts["other reasons"],
        }
        least, total, most = self._epochs
        if total:
            mean = round(total / self.num_records, 1)
            answer["epochs"] = {"least": least, "mean": mean, "most": most}
            answer["mjd"] = {"first": float(self._mjd[0]), "last": float(self._mjd[1])}
            answer["dates"] = [date_of(mjd) for mjd in self._mjd]
        return answer


def reason_of(note: str, object_id: str) -> str:
    """Returns a note without names and numbers, so that equal reasons count as one."""
    if object_id:
        note = re.sub(rf"(?<!\w){re.escape(object_id)}(?!\w)", "...", note)
    return re.sub(r"-?\d[\d.]*(e[+-]?\d+)?", "N", note[:500])


def date_of(mjd: float) -> str:
    """Returns the calendar date of a modified Julian date, or what is wrong with it."""
    try:
        return (MJD_ZERO_DATE + datetime.timedelta(days=float(mjd))).isoformat()
    except OverflowError:
        return "no date of our calendar"


def _by_count(reasons: dict) -> list[dict]:
    """Returns how often each reason was given, with its first wording."""
    return [
        {"count": count, "example": first}
        for count, first in sorted(reasons.values(), key=lambda each: -each[0])
    ]
