"""What a benchmark prints, and the comparison of two result files."""

import json
import sys

import pytest

from benchmarks import compare, result
from benchmarks.convention import gigaflop
from benchmarks.result import Row, Spread


def verdicts(before, after, tolerance=0.1):
    """Verdict of each measure of one row."""
    rows = [Row({"form": "ours"}, before)], [Row({"form": "ours"}, after)]
    return {line[1]: line[-1] for line in compare.compare(*rows, tolerance)}


def write(path, rows, capsys):
    capsys.readouterr()
    result.show(rows, as_json=True)
    path.write_text(capsys.readouterr().out)
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    compare.main()


# -- measures --------------------------------------------------------------------------


def test_a_spread_is_the_median_with_the_smallest_and_the_largest():
    assert result.spread_of(iter([5, 1, 2])) == Spread(2, 1, 5)
    assert result.scaled(Spread(2, 1, 5), 1e3) == Spread(2000, 1000, 5000)


def test_the_fastest_repeat_has_the_highest_rate():
    assert result.rate_of(Spread(2, 1, 5), amount=10) == Spread(5, 2, 10)


def test_the_first_run_is_not_timed():
    runs = []
    spread = result.seconds_of(lambda: runs.append(1), repeats=3)
    assert len(runs) == 4
    assert 0 < spread.low <= spread.median <= spread.high


def test_a_table_shows_three_digits_that_count_or_more_before_the_point(capsys):
    values = {"s": 12345.6, "ms": 99.44, "MiB": 0.0123456}
    result.show([Row({"form": "ours"}, values)], as_json=False)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "| ours | 12,346 | 99.4 | 0.0123 |"


def test_a_table_begins_where_the_columns_change(capsys):
    first = Row({"form": "ours"}, {"ms": Spread(2, 1, 3)})
    other = Row({"form": "matrix"}, {"GFLOP/s": 180.0})
    result.show([first, first, other], as_json=False, about={"device": "TPU v9"})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(", device TPU v9")
    assert lines[2:6] == ["| form | ms |", "|---|---|", *["| ours | 2 (1 to 3) |"] * 2]
    assert lines[7:] == ["| form | GFLOP/s |", "|---|---|", "| matrix | 180 |"]


def test_a_result_file_holds_what_was_measured(tmp_path, capsys):
    rows = [
        Row({"form": "ours", "chunks": 33}, {"ms": Spread(2, 1, 3), "MiB": 4.5}),
        Row({"form": "naive", "chunks": 33}, {"objects/s": 7.0}),
    ]
    assert result.read(write(tmp_path / "a.json", rows, capsys)) == rows


@pytest.mark.parametrize("text", ["", "[]", '{"rows": [{"case": {}}]}', '{"row": []}'])
def test_a_file_that_is_no_result_is_named(tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"broken\.json is not a result file.*--json"):
        result.read(path)


# -- comparison ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "before", "after", "verdict"),
    [
        ("ms", 10.0, 12.0, "worse"),
        ("ms", 10.0, 8.0, "better"),
        ("objects/s", 10.0, 12.0, "better"),
        ("objects/s", 10.0, 8.0, "worse"),
        ("ms", 10.0, 10.9, ""),  # within the tolerance
        ("ms", 10.0, 9.2, ""),
        ("ms", Spread(10, 9, 13), Spread(14, 12, 15), ""),  # the repeats overlap
        ("ms", Spread(10, 9, 11), Spread(14, 12, 15), "worse"),
        ("objects/s", Spread(10, 9, 11), Spread(14, 12, 15), "better"),
        ("ms", Spread(10, 9, 11), 14.0, "worse"),
        ("ms", 0.0, 0.0, ""),
    ],
)
def test_a_measure_gets_worse_or_better_or_neither(name, before, after, verdict):
    assert verdicts({name: before}, {name: after}) == {name: verdict}


def test_a_greater_tolerance_forgives_more():
    assert verdicts({"ms": 10.0}, {"ms": 12.0}, tolerance=0.25) == {"ms": ""}


def test_what_is_no_longer_measured_is_missing_and_what_is_new_is_no_loss():
    old, new = {"ms": 1.0, "MiB": 2.0}, {"ms": 1.0, "GFLOP/s": 3.0}
    assert verdicts(old, new) == {"ms": "", "MiB": "missing"}
    rows = [Row({"chunks": 33}, {"ms": 1.0})], [Row({"chunks": 66}, {"ms": 1.0})]
    assert compare.compare(*rows, 0.1)[0][-1] == "missing"


def test_the_order_of_rows_and_of_a_case_does_not_matter():
    one = Row({"form": "ours", "chunks": 33}, {"ms": 1.0})
    same = Row({"chunks": "33", "form": "ours"}, {"ms": 1.0})
    other = Row({"form": "ours", "chunks": 66}, {"ms": 9.0})
    assert [line[-1] for line in compare.compare([one], [other, same], 0.1)] == [""]


def test_the_command_fails_where_something_got_worse(tmp_path, capsys, monkeypatch):
    def file(name, ms):
        return write(tmp_path / name, [Row({"form": "ours"}, {"ms": ms})], capsys)

    slow, fast = file("slow.json", Spread(20, 19, 21)), file("fast.json", 10.0)
    run(monkeypatch, slow, fast)
    assert "| form ours | ms | 20 | 10 | 0.50 | better |" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, fast, slow)
    assert ended.value.code == 1
    assert "| 2.00 | worse |" in capsys.readouterr().out
    run(monkeypatch, fast, slow, "--tolerance", "1.5")

    other = write(tmp_path / "b.json", [Row({"form": "naive"}, {"ms": 1.0})], capsys)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, fast, other)
    assert ended.value.code == 1
    assert "| form ours | ms | 10 |  |  | missing |" in capsys.readouterr().out


def test_the_command_names_a_file_it_cannot_read(tmp_path, capsys, monkeypatch):
    good = write(tmp_path / "good.json", [Row({"a": 1}, {"ms": 1.0})], capsys)
    (tmp_path / "bad.json").write_text(json.dumps({"figures": []}))
    with pytest.raises(SystemExit, match=r"bad\.json is not a result file"):
        run(monkeypatch, good, tmp_path / "bad.json")
    with pytest.raises(SystemExit, match=r"No such file.*none\.json"):
        run(monkeypatch, tmp_path / "none.json", good)


# -- the cost model --------------------------------------------------------------------


def test_the_arithmetic_of_the_published_network():
    assert gigaflop(99, useful=False) == pytest.approx(41.19, abs=0.01)
    assert gigaflop(99, useful=True) == pytest.approx(26.80, abs=0.01)
    assert gigaflop(97, useful=True) == gigaflop(99, useful=True)  # whole chunks
    # the second layer by hand: 15 products of frames and taps, of which 9 are useful
    layer = 2 * 33 * 5 * 5 * 64 * 128 * 13 * 13 / 1e9
    assert 15 * layer / gigaflop(99, useful=False) == pytest.approx(0.83, abs=0.01)
    assert 9 * layer / gigaflop(99, useful=True) == pytest.approx(0.77, abs=0.01)
