"""A builder's work as an Apache Beam pipeline, for builds on several machines.

    parts -> readings and packets -> grouped by object -> records
                                                       -> tallies -> set_aside.json

Grouping by object assembles packets and finds names that occur twice. Of several
objects with one name the first in the order of the parts is kept, so records and report
are those of a build on one machine.
"""

from collections.abc import Callable, Iterable, Iterator

import apache_beam as beam
from etils import epath

from data_builders.engine.readings import (
    Tally,
    keep_raw,
    set_duplicate_aside,
    write_report,
)
from jaxastro.data.record import Reading

RECORDS, TALLIES = "records", "tallies"


def examples_of(
    read_part: Callable, assemble: Callable, parts: list, *, report: epath.Path
) -> beam.PTransform:
    """Returns the transform that yields the name and the columns of each record.

    Args:
        read_part: takes a part, yields Readings, or names of objects with a packet.
        assemble: takes the name of an object and its packets, returns a Reading.
        parts: independent pieces of work.
        report: JSON file for the counts and the notes of each object.
    """

    def read_numbered(numbered: tuple) -> Iterator[tuple]:
        number, part = numbered
        for i, item in enumerate(read_part(part)):
            is_reading = isinstance(item, Reading)
            name, content = (item.object_id, item) if is_reading else item
            yield name, ((number, i), is_reading, content)

    def readings_of(object_id: str, items: Iterable[tuple]) -> Iterator[tuple]:
        items = sorted(items, key=lambda item: item[0])
        for rank, is_reading, content in items:
            if is_reading:
                yield (0, *rank), content
        packets = [content for _, is_reading, content in items if not is_reading]
        if packets:
            # As on one machine, assembled objects come last, in order of their names.
            yield (1, object_id), assemble(object_id, packets)

    def select_record(name_and_items: tuple) -> Iterator:
        is_seen, tally = False, Tally()
        for rank, reading in readings_of(*name_and_items):
            if reading.record is not None and is_seen:
                reading = set_duplicate_aside(reading)
            tally.count(reading, rank)
            if reading.record is None:
                keep_raw(reading, report)
            else:
                is_seen = True
                yield reading.object_id, reading.record._asdict()
        yield beam.pvalue.TaggedOutput(TALLIES, tally)

    @beam.ptransform_fn
    def build(pipeline):
        selected = (
            pipeline
            | "Parts" >> beam.Create(list(enumerate(parts)))
            | "Distribute" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(read_numbered)
            | "By object" >> beam.GroupByKey()
            | "Select"
            >> beam.FlatMap(select_record).with_outputs(TALLIES, main=RECORDS)
        )
        (
            selected[TALLIES]
            | "Count" >> beam.CombineGlobally(_sum)
            | "Report" >> beam.Map(lambda tally: write_report(tally.report(), report))
        )
        return selected[RECORDS]

    return build()


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total
