"""Scores of a file of predictions, against a table of what the objects were."""

import csv
import json

import commands
import numpy as np
import pytest
from sklearn import metrics

from configs import base
from experiments.prediction_file import prediction_file, read_predictions
from experiments.score import BLIND, in_words, score
from jaxastro.data.hierarchy import nodes_of, sums_within
from jaxastro.data.spreadsheet import shown_cell, told_cell

CLASSES = base.ALERT_CLASSES
FINE = ("SNIa", "SNIbc", "SNII", "EB", "Asteroid")
NUMBER = 60


def rows_of(seed=0, classes=CLASSES, number=NUMBER):
    """Two alerts an object, whose probabilities and labels are drawn."""
    generator = np.random.default_rng(seed)
    probability = generator.dirichlet(np.ones(len(classes)), number)
    nodes = nodes_of(classes, base.ALERT_HIERARCHY)
    rows = []
    for n, numbers in enumerate(probability):
        sums = sums_within(numbers[None], nodes)[0]
        row = {"object_id": f"ZTF{n // 2:03d}", "alert_id": 10**15 + n}
        row["predicted"] = classes[numbers.argmax()]
        row["probability"] = dict(zip(classes, numbers.tolist(), strict=True))
        row["hierarchy"] = dict(zip(nodes, sums.tolist(), strict=True))
        rows.append(row if nodes else row | {"hierarchy": {}})
    label = generator.choice(np.array(classes, object), number)
    return rows, label


def written(rows, path):
    with prediction_file(path) as write:
        write(rows)
    return path


def truth_file(path, rows, label, key="alert_id", column="class"):
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([key, column])
        table.writerows([row[key], one] for row, one in zip(rows, label, strict=True))
    return path


@pytest.fixture(scope="module")
def fine_run(alert_run, tmp_path_factory):
    """A run's config, as if it told kinds apart."""
    config = json.loads((alert_run / "config.json").read_text())
    workdir = tmp_path_factory.mktemp("fine")
    config["classes"] = FINE
    (workdir / "config.json").write_text(json.dumps(config))
    return workdir


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".avro"])
def test_scores_are_those_of_scikit_learn(suffix, alert_run, tmp_path):
    rows, label = rows_of()
    said = written(rows, tmp_path / f"said{suffix}")
    found, told = score(alert_run, said, truth_file(tmp_path / "t.csv", rows, label))
    assert told == []
    assert list(found) == ["classes"]
    of_all, predicted = found["classes"]["all"], [row["predicted"] for row in rows]
    assert of_all["num_objects"] == NUMBER
    for name, value in (
        ("accuracy", metrics.accuracy_score(label, predicted)),
        ("macro_f1", metrics.f1_score(label, predicted, average="macro")),
        ("balanced_accuracy", metrics.balanced_accuracy_score(label, predicted)),
    ):
        assert of_all[name].value == pytest.approx(value)
        assert of_all[name].low < value < of_all[name].high
    commonest = max(np.unique(label, return_counts=True)[1]) / NUMBER
    assert found["classes"][BLIND]["accuracy"].value == pytest.approx(commonest)
    assert f"| classes: {BLIND} |" in in_words(found)


def test_the_order_of_the_rows_cannot_matter(alert_run, tmp_path):
    rows, label = rows_of()
    order = np.random.default_rng(1).permutation(NUMBER)
    truth = truth_file(tmp_path / "t.csv", rows, label)
    said = written(rows, tmp_path / "said.csv")
    shuffled = written([rows[n] for n in order], tmp_path / "shuffled.csv")
    assert score(alert_run, said, truth) == score(alert_run, shuffled, truth)


def test_alerts_of_an_object_are_resampled_together(alert_run, tmp_path):
    rows, label = rows_of()
    label = np.repeat(label[::2], 2)
    for row, other in zip(rows[1::2], rows[::2], strict=True):
        row["probability"] = other["probability"]
    truth = truth_file(tmp_path / "t.csv", rows, label)
    twice, _ = score(alert_run, written(rows, tmp_path / "twice.csv"), truth)
    once, _ = score(alert_run, written(rows[::2], tmp_path / "once.csv"), truth)
    for name in ("accuracy", "macro_f1", "balanced_accuracy"):
        pair = (found["classes"]["all"][name] for found in (twice, once))
        np.testing.assert_allclose(*pair)


def test_what_is_not_scored_is_counted(alert_run, tmp_path):
    rows, label = rows_of()
    label[:3], label[3:5] = "TDE", "PISN"
    told = [*rows[:50], {"alert_id": 7}, {"alert_id": 8}]
    truth = truth_file(tmp_path / "t.csv", told, [*label[:50], "SN", "SN"])
    found, sentences = score(alert_run, written(rows, tmp_path / "said.csv"), truth)
    assert found["classes"]["all"]["num_objects"] == 45
    assert sentences == [
        "10 predictions have no truth.",
        "2 truths have no prediction.",
        "2 of label 'PISN', which the run does not know, are not scored.",
        "3 of label 'TDE', which the run does not know, are not scored.",
    ]


def test_kinds_within_a_class_are_that_class(alert_run, tmp_path):
    rows, label = rows_of()
    said = written(rows, tmp_path / "said.csv")
    coarse, _ = score(alert_run, said, truth_file(tmp_path / "a.csv", rows, label))
    kinds = np.where(label == "SN", "SNII", np.where(label == "VS", "EB", label))
    fine, told = score(alert_run, said, truth_file(tmp_path / "b.csv", rows, kinds))
    assert (fine, told) == (coarse, [])


def test_a_coarse_label_is_scored_where_it_tells(fine_run, tmp_path):
    rows, label = rows_of(classes=FINE)
    label[:20], label[20:30] = "SN", "CoreCollapse"
    said = written(rows, tmp_path / "said.parquet")
    truth = truth_file(tmp_path / "t.csv", rows, label)
    found, told = score(fine_run, said, truth)
    assert told == []
    counts = {level: found[level]["all"]["num_objects"] for level in found}
    assert counts == {"level 1": 60, "level 2": 40, "classes": 30}
    assert found["level 1"]["class SN"]["num_objects"] >= 30
    whole = np.isin(label, ("SN", "CoreCollapse", "SNIa", "SNIbc", "SNII"))
    probability = np.array([[*row["probability"].values()] for row in rows])
    sums = np.stack([probability[:, :3].sum(1), *probability[:, 3:].T], 1)
    index = np.where(whole, 0, np.where(label == "EB", 1, 2))
    accuracy = (sums.argmax(1) == index).mean()
    assert found["level 1"]["all"]["accuracy"].value == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "number"}, "columns number, class"),
        ({"column": "sort"}, "Name the column by --column"),
        ({"label": ["TDE"] * NUMBER}, "Not one row"),
    ],
)
def test_tables_that_do_not_fit_are_told(change, words, alert_run, tmp_path):
    rows, label = rows_of()
    for number, row in enumerate(rows):
        row["number"] = number
    said = written([{**row} for row in rows_of()[0]], tmp_path / "said.csv")
    label = change.pop("label", label)
    truth = truth_file(tmp_path / "t.csv", rows, label, **change)
    with pytest.raises(ValueError, match=words):
        score(alert_run, said, truth)


def test_a_truth_that_contradicts_itself_is_told(alert_run, tmp_path):
    rows, label = rows_of()
    truth = truth_file(tmp_path / "t.csv", rows, label, key="object_id")
    with pytest.raises(ValueError, match=r"object_id ZTF0.. '\w+' and '\w+'\. Give"):
        score(alert_run, written(rows, tmp_path / "said.csv"), truth)


def test_predictions_of_another_run_are_told(fine_run, tmp_path):
    rows, label = rows_of()
    truth = truth_file(tmp_path / "t.csv", rows, label)
    with pytest.raises(ValueError, match="no column p_SNIa"):
        score(fine_run, written(rows, tmp_path / "said.csv"), truth)


@pytest.mark.parametrize("name", ["said.txt", "said.csv", "said.parquet", "said.avro"])
def test_a_file_that_is_no_table_of_predictions_is_told(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"[Gg]ive (a file|one) that"):
        read_predictions(tmp_path / name)


@pytest.mark.parametrize("name", ["=1+1", "+x", "-5", "@me", "ZTF18a", "'", "5"])
def test_names_that_a_spreadsheet_would_run_come_back(name, tmp_path):
    assert told_cell(shown_cell(name)) == name
    rows, _ = rows_of(number=2)
    rows[0]["object_id"] = name
    for suffix in (".csv", ".parquet", ".avro"):
        said = read_predictions(written(rows, tmp_path / f"said{suffix}"))
        assert said["object_id"][0] == name


def test_the_command_says_what_it_found(alert_run, tmp_path):
    rows, label = rows_of()
    label[0] = "TDE"
    said = written(rows, tmp_path / "said.avro")
    truth = truth_file(tmp_path / "t.csv", rows, label, column="what")
    flags = {"workdir": alert_run, "predictions": said, "truth": truth}
    done = commands.run("score", column="what", **flags)
    unknown = "1 of label 'TDE', which the run does not know, are not scored."
    assert (done.code, done.stderr.strip()) == (0, unknown)
    assert "| classes | 0." in done.stdout
    as_json = json.loads(commands.run("score", "--json", column="what", **flags).stdout)
    assert as_json["not_scored"] == [unknown]
    assert as_json["scores"]["classes"]["all"]["num_objects"] == NUMBER - 1
