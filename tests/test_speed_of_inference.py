"""The benchmark of inference measures what it says."""

from runs import smoke

from benchmarks import inference


def test_a_row_tells_rate_waits_and_memory_of_one_batch():
    row = inference.measure(
        inference.network_of(smoke()), batch=2, length=3, repeats=4, seconds=0
    )
    assert row.case == {"epochs": 3, "batch": 2}
    names = ["sequences/s", "ms, 50 %", "ms, 90 %", "ms, 99 %", "MiB"]
    assert list(row.measures) == names
    rate, *waits, memory = row.measures.values()
    assert waits == sorted(waits)
    assert rate.low <= 2000 / waits[0] * 1.001
    assert rate.high >= 2000 / waits[0] * 0.999
    # Parameters of the smallest network alone are 104,120 numbers.
    assert memory > 104_120 * 4 / 2**20
