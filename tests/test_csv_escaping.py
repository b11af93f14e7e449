import csv
import json

import numpy as np
import pytest
from support.predictions import make_predictions
from support.runs import predict

from jaxastro.data.csv_escaping import escape_cell
from jaxastro.reports import REPORTS


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_shown(text):
    assert escape_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["SN2011fe", "a=b", "", "ZTF-1"])
def test_other_text_stays_as_it_is(text):
    assert escape_cell(text) == text


def test_predictions_of_an_object_named_like_a_formula_are_harmless(
    trained, raw_objects, tmp_path
):
    raw = dict(np.load(raw_objects))
    raw["name"] = np.array(["=cmd()", *raw["name"][1:]])
    np.savez(tmp_path / "raw.npz", **raw)
    output = tmp_path / "out.csv"
    predict(trained[0], tmp_path / "raw.npz", output, report=tmp_path / "report.json")
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["object_id"] == "'=cmd()"
    assert json.loads((tmp_path / "report.json").read_text())["objects_read"] == 5


def test_a_class_named_like_a_formula_is_harmless_in_the_confusion_table(tmp_path):
    predictions = make_predictions()
    classes = ("=cmd()", *predictions.classes[1:])
    REPORTS["confusion_matrix"](predictions._replace(classes=classes), tmp_path)
    text = (tmp_path / "confusion_matrix.csv").read_text()
    assert "'=cmd()" in text
    assert "\n=cmd" not in text
