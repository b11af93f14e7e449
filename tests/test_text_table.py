"""Tables of text are split into cells, and a wrong line is named by its number."""

import numpy as np
import pytest

from jaxastro.data.text_table import (
    BLANKS,
    Row,
    cells_of,
    columns_of,
    numbers_of,
    rows_of,
)


def test_rows_of_csv_have_line_numbers_and_unquoted_cells():
    lines = ["a,b\r\n", "\n", '1,"x, y"\n', ",\n", '2,"two\n', 'lines"\n', "3"]
    assert list(rows_of(lines)) == [
        Row(1, ["a", "b"]),
        Row(3, ["1", "x, y"]),
        Row(6, ["2", "two\nlines"]),
        Row(7, ["3"]),
    ]


def test_columns_can_be_separated_by_blanks_or_tabs():
    lines = ["# a  b\n", " 1\t 2  \n", "\n", "3 4"]
    rows = list(rows_of(lines, BLANKS, comment="#"))
    assert rows == [Row(2, ["1", "2"]), Row(4, ["3", "4"])]
    assert next(rows_of(["a\tb c"], "\t")).cells == ["a", "b c"]


def test_comments_are_skipped():
    assert [row.line for row in rows_of(["#1", "a", "#2", "b"], comment="#")] == [2, 4]


def test_wrong_quotes_are_an_error_if_strict():
    lines = ["a,b\n", '"1"x,2\n']
    assert next(rows_of(lines[1:])).cells == ["1x", "2"]
    with pytest.raises(ValueError, match="line 2: ',' expected after"):
        list(rows_of(lines, strict=True))


def test_a_single_line_is_split_independently_of_the_others():
    assert cells_of('a,"b') == ["a", "b"]
    assert cells_of(" a  b ", BLANKS) == ["a", "b"]
    assert cells_of("\n") == []


def test_numbers_equal_those_of_numpy():
    lines = ["1,2.5,x", "1e-300,-0.1234567890123456789,y", "nan,inf,z"]
    numbers = numbers_of(rows_of(lines), 2)
    expected = np.loadtxt(lines, delimiter=",", usecols=(0, 1))
    np.testing.assert_array_equal(numbers, expected)
    assert numbers_of([], 3).shape == (0, 3)


def test_a_row_without_numbers_is_named():
    with pytest.raises(ValueError, match="line 2 has 1 cells of 2"):
        numbers_of(rows_of(["1,2", "3"]), 2)
    with pytest.raises(ValueError, match="line 1: could not convert string to float"):
        numbers_of(rows_of(["1,b"]), 2)


def test_columns_are_read_as_text_by_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n01,x,1.50\n2,,\n")
    table = columns_of(path, ("c", "a"), ("d",))
    assert table.to_pydict() == {"c": ["1.50", None], "a": ["01", "2"]}
    with pytest.raises(ValueError, match="it has no column d"):
        columns_of(path, ("d",))
    path.write_text("a,b\n1\n")
    with pytest.raises(ValueError, match="Expected 2 columns, got 1"):
        columns_of(path, ("a",))
    with pytest.raises(FileNotFoundError):
        columns_of(tmp_path / "none.csv", ("a",))
