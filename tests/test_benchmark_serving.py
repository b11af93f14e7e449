"""The benchmark of serving measures what its columns state."""

import pytest
from support import ztf_packets

from benchmarks import serving

COUNT = 12


@pytest.fixture
def night(tmp_path):
    path = tmp_path / "night.avro"
    packets = [ztf_packets.packet("ZTF18abcdefg", n + 1, days=n) for n in range(COUNT)]
    path.write_bytes(ztf_packets.container(*packets))
    return path


def test_both_parts_are_measured_on_the_requested_alerts(alert_run, night):
    rows = serving.measure_parts(alert_run, night, most=7, repeats=2)
    assert [row.case for row in rows] == [
        {"part": "decode", "alerts": 7},
        {"part": "model", "alerts": 7},
    ]
    for row in rows:
        rate, spent = row.measures.values()
        assert 0 < rate.low <= rate.median <= rate.high
        assert spent.low > 0


def test_rows_of_a_table_that_grows_are_counted(tmp_path):
    table = tmp_path / "predictions.csv.partial"
    for text, count in ((None, 0), ("", 0), ("a,b\n", 0), ("a,b\n1,2\n3", 1)):
        if text is not None:
            table.write_text(text)
        assert serving.rows_in(table) == count


@pytest.mark.slow
def test_a_command_is_followed_from_its_start_to_its_end(alert_run, night, tmp_path):
    served = serving.serve(alert_run, night, tmp_path, tmp_path / "cache")
    assert 0 < served.first <= served.done <= served.ended
    assert served.num_rows == COUNT
    assert 50 < served.peak < 5000
    with pytest.raises(SystemExit, match="The command failed: see its last line"):
        serving.serve(tmp_path / "none", night, tmp_path, tmp_path / "cache")
