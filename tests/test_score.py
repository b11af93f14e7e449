"""Scores of a file of predictions, against a table of what the objects were."""

import csv
import json

import numpy as np
import pytest
from jaxastro.commands.command_line import explain
from sklearn import metrics
from support import commands

from configs import base
from experiments.score import BLIND, in_words, score
from jaxastro.data.csv_escaping import shown_cell, told_cell
from jaxastro.data.hierarchy import node_probabilities, nodes_of
from jaxastro.runs.prediction_table import prediction_file, read_predictions

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
        sums = node_probabilities(numbers[None], nodes)[0]
        row = {"object_id": f"ZTF{n // 2:03d}", "alert_id": 10**15 + n}
        row["predicted"] = classes[numbers.argmax()]
        row["probability"] = dict(zip(classes, numbers.tolist(), strict=True))
        row["hierarchy"] = dict(zip(nodes, sums.tolist(), strict=True))
        rows.append(row)
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
def run_of(alert_run, tmp_path_factory):
    """Makes a run's config, as if it told other classes apart."""

    def make(*classes):
        config = json.loads((alert_run / "config.json").read_text())
        workdir = tmp_path_factory.mktemp("fine")
        config["classes"] = classes
        (workdir / "config.json").write_text(json.dumps(config))
        return workdir

    return make


@pytest.fixture(scope="module")
def fine_run(run_of):
    return run_of(*FINE)


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


def test_part_of_a_row_is_not_all_of_it(run_of, tmp_path):
    """What is SN may be SNIbc, so of SNIa and SNII none is right."""
    classes = ("SNIa", "SNII", "AGN")
    rows, label = rows_of(classes=classes)
    said = written(rows, tmp_path / "said.csv")
    truth = truth_file(tmp_path / "t.csv", rows, ["SN", "CoreCollapse", *label[2:]])
    found, told = score(run_of(*classes), said, truth)
    counts = {level: found[level]["all"]["num_objects"] for level in found}
    assert (counts, told) == ({"level 1": NUMBER, "classes": NUMBER - 2}, [])
    truth = truth_file(tmp_path / "t.csv", rows, ["SN"] * NUMBER)
    found, told = score(run_of(*classes), said, truth)
    assert (list(found), told) == (["level 1"], ["No label tells the classes."])
    assert "level 1: SN |" in in_words(found)
    assert "level 1: AGN |" not in in_words(found)  # nobody is one


def test_a_joined_class_is_told_by_its_parts_their_row_and_its_name(run_of, tmp_path):
    classes = ("SNIa", "SNIbc+SNII", "AGN")
    rows, _ = rows_of(classes=classes)
    said = written(rows, tmp_path / "said.csv")
    right = []
    for name in ("SNIbc", "SNII", "CoreCollapse", "SNIbc+SNII"):
        truth = truth_file(tmp_path / "t.csv", rows, [name] * NUMBER)
        found, told = score(run_of(*classes), said, truth)
        assert told == []
        right.append(found["classes"]["all"])
    assert right == [right[0]] * 4


def test_nothing_is_scored_twice_and_no_label_is_none(alert_run, tmp_path):
    rows, label = rows_of()
    once = written(rows, tmp_path / "once.csv")
    truth = truth_file(tmp_path / "t.csv", rows, label)
    expected, _ = score(alert_run, once, truth)
    again = written([*rows, *rows[:7]], tmp_path / "again.csv")
    found, told = score(alert_run, again, truth)
    assert found == expected
    assert told == ["7 predictions repeat one above, and are not scored."]
    truth = truth_file(tmp_path / "t.csv", rows, [*label[:55], *[""] * 5])
    found, told = score(alert_run, once, truth)
    assert found["classes"]["all"]["num_objects"] == 55
    assert told == ["5 predictions have no truth.", "5 truths have no label."]


def test_truths_of_objects_hold_for_all_their_alerts(alert_run, tmp_path):
    rows, label = rows_of()
    said, label = written(rows, tmp_path / "said.csv"), np.repeat(label[::2], 2)
    by_alert = truth_file(tmp_path / "a.csv", rows, label)
    by_object = truth_file(tmp_path / "o.csv", rows, label, key="object_id")
    assert score(alert_run, said, by_alert) == score(alert_run, said, by_object)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no rows: one for each object"),
        (b"alert_id,class\n", "no rows"),
        (b"\xef\xbb\xbfnumber,class\n1,SN\n", "alert_id or object_id was expected"),
        (b"alert_id,sort\n1,SN\n", "class, label, kind or --column was expected"),
        (b"alert_id,class\n1000000000000000,TDE\n", "Not one row"),
        (b"alert_id,class\n1000000000000000\n", "Not one row .* 1 truths have no"),
        (b"alert_id,class\n1,\xff\n", "no CSV table in UTF-8"),
        (b"alert_id,class\n1," + b"x" * 200_000, "no CSV table in UTF-8"),
    ],
)
def test_a_truth_that_does_not_fit_is_told(text, words, alert_run, tmp_path):
    said = written(rows_of()[0], tmp_path / "said.csv")
    (tmp_path / "t.csv").write_bytes(text)
    with pytest.raises(ValueError, match=words):
        score(alert_run, said, tmp_path / "t.csv")


def test_a_truth_that_a_spreadsheet_wrote_is_read(alert_run, tmp_path):
    rows, label = rows_of()
    said = written(rows, tmp_path / "said.csv")
    truth = truth_file(tmp_path / "t.csv", rows, label)
    expected = score(alert_run, said, truth)
    truth.write_bytes(b"\xef\xbb\xbf" + truth.read_bytes())
    assert score(alert_run, said, truth) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alert_id,p_AGN\n1,0.5\n", "no column object_id"),
        ("object_id,p_AGN,p_SN,p_VS,p_Asteroid\nx,0,0,0,0\n", "no column p_Bogus"),
        ("object_id,p_AGN,p_SN,p_VS,p_Asteroid,p_Bogus\n", "holds no predictions"),
        (
            "object_id,p_AGN,p_SN,p_VS,p_Asteroid,p_Bogus\nx,0,0,0,0,high\n",
            "is no number",
        ),
        (
            "object_id,p_AGN,p_SN,p_VS,p_Asteroid,p_Bogus\nx,0,0,0,0,0\n",
            "neither of alert_id, object_id in common",
        ),
    ],
)
def test_predictions_that_do_not_fit_are_told(text, words, alert_run, tmp_path):
    (tmp_path / "said.csv").write_text(text)
    truth = truth_file(tmp_path / "t.csv", *rows_of())
    with pytest.raises(ValueError, match=words):
        score(alert_run, tmp_path / "said.csv", truth)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".avro"])
def test_damaged_predictions_are_told(suffix, alert_run, tmp_path):
    said = written(rows_of()[0], tmp_path / f"said{suffix}")
    truth, whole = truth_file(tmp_path / "t.csv", *rows_of()), said.read_bytes()
    generator, sentences = np.random.default_rng(0), []
    for _ in range(60):
        found = bytearray(whole)
        for place in generator.integers(len(found), size=3):
            found[place] ^= generator.integers(1, 256)
        said.write_bytes(found[: generator.integers(len(found) // 2, len(found))])
        try:
            score(alert_run, said, truth)
        except (OSError, ValueError) as error:
            sentences.append(explain(error))
    assert all(sentences)


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


@pytest.mark.parametrize(
    "name", ["=1+1", "+x", "-5", "@me", "ZTF18a", "'", "5", "'=x", "''=x"]
)
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
    assert (done.code, done.stderr) == (0, f"{unknown}\n")
    assert "| classes | 0." in done.stdout
    as_json = json.loads(commands.run("score", "--json", column="what", **flags).stdout)
    assert as_json["not_scored"] == [unknown]
    assert as_json["scores"]["classes"]["all"]["num_objects"] == NUMBER - 1
