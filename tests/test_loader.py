"""Batches at random access, by threads and processes; records and their index."""

import multiprocessing

import jax
import numpy as np
import pytest
from absl import flags
from hypothesis import given, settings
from hypothesis import strategies as st
from support.series import make_series

from data_builders.engine.index import index_from
from jaxastro.data.loader import Batches, class_index, in_order
from jaxastro.data.record import Records, first_epochs, record_from_example
from jaxastro.data.series import SeriesRecord, make_series_record
from jaxastro.errors import RecordError
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["hits"]
CLASSES = ("SN", "EB")
LABELS = ("SN", "EB", "Unknown", "RRLyrae", "SN", "EB", "SN")


def record_of(row, **given):
    """Returns object `row`, with row + 1 epochs of frames of that value."""
    fields = {
        "flux": np.full((row + 1, 21, 21), row + 1.0),
        "mjd": 57070 + np.arange(row + 1.0),
        "band": 0,
        "label": LABELS[row],
        "label_source": "catalogue",
    }
    return make_series_record(f"object{row}", SURVEY, **fields | given)[0]


def example_of(row):
    """Returns the example of a record in TFDS: text is bytes, numbers are arrays."""
    fields = record_of(row)._asdict()
    return {k: v.encode() if isinstance(v, str) else v for k, v in fields.items()}


SOURCE = [example_of(row) for row in range(len(LABELS))]


def make_example(record):
    shape = (2, 2, 2)
    return make_series(
        np.full(shape, record.flux[0, 0, 0]), np.zeros(2), np.zeros(2), np.ones(2, bool)
    )


def batches_of(row_of, num_batches, *, batch_size=3, make_example=make_example, **how):
    how |= {"batch_size": batch_size, "num_batches": num_batches}
    return Batches(Records(SOURCE, SeriesRecord), row_of, make_example, CLASSES, **how)


def test_cached_examples_are_made_once_and_are_equal():
    made = []

    def counted(record):
        made.append(record.object_id)
        return make_example(record)

    def row_of(position):
        return position * 5 % len(LABELS)

    plain = list(batches_of(row_of, 9).since(0))
    kept = batches_of(row_of, 9, make_example=counted, keep=True, num_threads=1)
    for a, b in zip(plain, kept.since(0), strict=True):
        jax.tree.map(np.testing.assert_array_equal, a, b)
    assert len(made) == len(set(made)) == len(LABELS)


@pytest.mark.parametrize("share", [[0], [1, 2], [0, 2]])
def test_a_process_reads_its_share_of_each_batch(share):
    read = []

    def row_of(position):
        read.append(position)
        return position * 5 % len(LABELS)

    whole = list(batches_of(row_of, 4).since(0))
    read.clear()
    mine = list(batches_of(row_of, 4, share=np.array(share)).since(1))
    assert set(read) == {3 * step + row for step in (1, 2, 3) for row in share}
    for ours, everybodys in zip(mine, whole[1:], strict=True):
        for a, b in zip(
            jax.tree.leaves(ours), jax.tree.leaves(everybodys), strict=True
        ):
            np.testing.assert_array_equal(a, b[share])


def rows_in(batch):
    """Returns the rows of a batch."""
    return (batch.inputs.image[:, 0, 0, 0] - 1).astype(int).tolist()


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def shuffled(position):
    return (5 * position + position // 7) % 7


def test_batches_by_number_equal_iteration_from_any_step():
    batches = batches_of(shuffled, 6)
    assert len(batches) == 6
    for start in (0, 2, 5, 6):
        seen = list(batches.since(start))
        assert len(seen) == 6 - start
        for step, batch in enumerate(seen, start):
            assert_same(batch, batches[step])
            assert rows_in(batch) == [shuffled(3 * step + i) for i in range(3)]


@pytest.mark.parametrize("num_threads", [0, 1, 2, 5])
def test_threads_change_nothing(num_threads):
    one = batches_of(shuffled, 9, num_threads=1).since(2)
    for a, b in zip(
        one, batches_of(shuffled, 9, num_threads=num_threads).since(2), strict=True
    ):
        assert_same(a, b)


@pytest.mark.slow
def test_worker_processes_change_nothing_from_the_start_or_the_middle():
    flags.FLAGS.mark_as_parsed()  # as in every command
    for workers, start in ((2, 0), (2, 4), (1, 3)):
        stream = batches_of(shuffled, 9, num_workers=workers).since(start)
        for step, batch in enumerate(stream, start):
            assert_same(batch, batches_of(shuffled, 9)[step])
        assert step == 8


@pytest.mark.slow
def test_an_error_in_a_worker_names_the_object_and_ends_the_workers():
    flags.FLAGS.mark_as_parsed()

    def fails(record):
        if record.object_id == "object3":
            raise RecordError(f"Object {record.object_id}: no")
        return make_example(record)

    batches = batches_of(int, 7, batch_size=1, make_example=fails, num_workers=1)
    stream = batches.since(0)
    assert len([next(stream) for _ in range(3)]) == 3
    with pytest.raises(RecordError, match="Object object3: no"):
        next(stream)
    assert not multiprocessing.active_children()


def test_labels_are_numbered_in_the_order_of_the_classes():
    row_of, num_batches = in_order(np.arange(7), 7)
    batch = batches_of(row_of, num_batches, batch_size=7)[0]
    assert batch.label_mask.tolist() == [True, True, False, False, True, True, True]
    assert batch.label[batch.label_mask].tolist() == [0, 1, 0, 1, 0]
    assert batch.label.dtype == np.int32
    assert class_index(np.array(LABELS), CLASSES).tolist() == [0, 1, -1, -1, 0, 1, 0]


def test_the_last_batch_is_padded_and_masked():
    row_of, num_batches = in_order(np.array([6, 3, 1, 4]), 3)
    first, last = batches_of(row_of, num_batches).since(0)
    assert first.example_mask.tolist() == [True] * 3
    assert last.example_mask.tolist() == [True, False, False]
    assert last.inputs.image.shape == first.inputs.image.shape
    assert rows_in(last)[0] == 4


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.integers(0, 6), min_size=0, max_size=20),
    batch_size=st.integers(1, 6),
)
def test_in_order_has_each_row_once(rows, batch_size):
    row_of, num_batches = in_order(np.array(rows, int), batch_size)
    batches = batches_of(row_of, num_batches, batch_size=batch_size, num_threads=0)
    seen = []
    for batch in batches.since(0):
        assert len(batch.label) == batch_size
        seen += np.array(rows_in(batch))[batch.example_mask].tolist()
    assert seen == rows


def test_an_object_that_cannot_be_read_stops_the_iteration():
    def fails(record):
        raise RecordError(f"Object {record.object_id}: no")

    batches = Batches(
        Records(SOURCE, SeriesRecord), int, fails, CLASSES, batch_size=1, num_batches=2
    )
    with pytest.raises(RecordError, match="Object object0: no"):
        next(batches.since(0))


def test_the_index_has_every_record():
    index = index_from(SOURCE)
    assert index.object_id.tolist() == [f"object{row}" for row in range(7)]
    assert index.label.tolist() == list(LABELS)
    assert set(index.label_source) == {"catalogue"}
    assert index.num_epochs.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert index.group.tolist() == index.object_id.tolist()


def test_a_record_comes_back_from_its_example():
    record, back = record_of(4), record_from_example(example_of(4))
    for name, a, b in zip(SeriesRecord._fields, record, back, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
        assert type(a) is type(b)


@given(count=st.integers(1, 9))
def test_first_epochs_are_the_record_at_that_time(count):
    noise = np.arange(7, dtype=np.float32)
    whole = record_of(6, noise=noise, zero_point=25.0)
    early = first_epochs(whole, count)
    then = slice(0, min(count, 7))
    remade = record_of(
        6,
        flux=whole.flux[then],
        mjd=whole.mjd[then],
        noise=noise[then],
        zero_point=25.0,
    )
    for name, a, b in zip(SeriesRecord._fields, early, remade, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_a_record_is_sorted_and_masked_and_notes_report_repairs():
    flux = np.full((4, 21, 21), 100.0)
    flux[0, 0, :2] = np.nan, SURVEY.sentinels[0]
    flux[1, 0, 0] = 2 * SURVEY.valid_range[1]
    flux[3] = np.nan
    marked = np.zeros(flux.shape, bool)
    marked[2, 5, 5] = True
    record, notes = make_series_record(
        "one",
        SURVEY,
        flux=flux,
        mjd=[4, 3, 2, 1],
        band=["g"] * 4,
        noise=[4, 3, 2, 1],
        bad_pixel=marked,
    )
    assert record.mjd.tolist() == record.noise.tolist() == [2, 3, 4]
    assert record.bad_pixel.sum(axis=(1, 2)).tolist() == [1, 1, 2]
    assert (record.flux[record.bad_pixel] == 0).all()
    assert (record.flux[~record.bad_pixel] == 100).all()
    assert (record.label, record.group) == ("Unknown", "one")
    assert [note.split(":")[0] for note in notes] == [
        "443 pixels are NaN or sentinels",
        "1 pixels lie outside -1000 to 100000 ADU",
        "epochs were out of order",
        "1 epochs have no good pixel",
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"flux": np.ones((2, 32, 32))}, r"cutouts of shape \(2, 32, 32\). hits has"),
        ({"mjd": np.arange(3.0)}, "7 cutouts but 3 observation times"),
        ({"mjd": [np.nan] * 7}, "7 of 7 observation times are not numbers"),
        ({"band": "z"}, "unknown band 'z'. hits has g"),
        ({"band": np.full(7, 1)}, "unknown band 1"),
        ({"label": "Quasar"}, "unknown class 'Quasar'"),
        ({"truth": "Quasar"}, "unknown class 'Quasar'"),
        ({"label_source": "rumour"}, "unknown label source 'rumour'. Known: spectro"),
        ({"noise": np.ones(3)}, r"noise has shape \(3,\), but there are 7 epochs"),
        ({"bad_pixel": np.ones((7, 2, 2))}, r"bad_pixel has shape \(7, 2, 2\)"),
        ({"flux": np.full((7, 21, 21), np.nan)}, "no epoch with a good pixel"),
    ],
)
def test_wrong_input_of_a_record_is_an_error_with_the_object(given, words):
    with pytest.raises(RecordError, match=f"Object object6: {words}"):
        record_of(6, **given)
