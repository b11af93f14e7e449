"""The work of a builder as an Apache Beam pipeline, for many machines.

    parts -> readings and packets -> by object -> records
                                               -> tallies -> set_aside.json

Everything about one object meets in one place: there its packets are assembled, and a
name that occurs twice is noticed. What comes first is kept, by the order of the parts,
so the records and the report are those of a build on one machine.
"""

from collections.abc import Callable, Iterable, Iterator

import apache_beam as beam
from etils import epath

from data_builders.engine.readings import Tally, keep_raw, without_record, write_report
from jaxastro.data.record import Reading

RECORDS, TALLIES = "records", "tallies"


def examples_of(
    read_part: Callable, assemble: Callable, parts: list, *, report: epath.Path
) -> beam.PTransform:
    """Returns what yields the name and the columns of each record.

    Args:
        read_part: takes a part, yields Readings, or names of objects with a packet.
        assemble: takes the name of an object and its packets, returns a Reading.
        parts: independent pieces of work.
        report: where the counts, and by object every note, are written.
    """

    def number_things(numbered: tuple) -> Iterator[tuple]:
        number, part = numbered
        for i, thing in enumerate(read_part(part)):
            is_whole = isinstance(thing, Reading)
            name, content = (thing.object_id, thing) if is_whole else thing
            yield name, ((number, i), is_whole, content)

    def readings_of(object_id: str, things: Iterable[tuple]) -> Iterator[tuple]:
        things = sorted(things, key=lambda thing: thing[0])
        for rank, is_whole, content in things:
            if is_whole:
                yield (0, *rank), content
        packets = [content for _, is_whole, content in things if not is_whole]
        if packets:
            # On one machine, too, these come last, by name.
            yield (1, object_id), assemble(object_id, packets)

    def judge(name_and_things: tuple) -> Iterator:
        is_seen, tally = False, Tally()
        for rank, reading in readings_of(*name_and_things):
            if reading.record is not None and is_seen:
                reading = without_record(reading, "it was read before")
            tally.count(reading, rank)
            if reading.record is None:
                keep_raw(reading, report)
            else:
                is_seen = True
                yield reading.object_id, reading.record._asdict()
        yield beam.pvalue.TaggedOutput(TALLIES, tally)

    @beam.ptransform_fn
    def build(pipeline):
        judged = (
            pipeline
            | "Parts" >> beam.Create(list(enumerate(parts)))
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(number_things)
            | "By object" >> beam.GroupByKey()
            | "Judge" >> beam.FlatMap(judge).with_outputs(TALLIES, main=RECORDS)
        )
        (
            judged[TALLIES]
            | "Count" >> beam.CombineGlobally(_sum)
            | "Report" >> beam.Map(lambda tally: write_report(tally.report(), report))
        )
        return judged[RECORDS]

    return build()


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total
