"""Scores of a file of predictions against a table of true labels."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from sklearn import metrics
from support import commands

from configs import base
from jaxastro.commands.error_handling import message_of
from jaxastro.data.csv_escaping import escape_cell, unescape_cell
from jaxastro.data.hierarchy import nodes_of
from jaxastro.runs.prediction_table import PredictionTable, read_predictions
from jaxastro.runs.scoring import MAJORITY, as_text, score

CLASSES = base.ALERT_CLASSES
FINE = ("SNIa", "SNIbc", "SNII", "EB", "Asteroid")
NUMBER = 60


def random_table(seed=0, classes=CLASSES, number=NUMBER):
    """Random predictions of two alerts per object, and random labels."""
    generator = np.random.default_rng(seed)
    probability = generator.dirichlet(np.ones(len(classes)), number)
    table = PredictionTable(
        classes=classes,
        object_id=np.array([f"ZTF{n // 2:03d}" for n in range(number)]),
        probability=probability,
        embedding=np.zeros((number, 0), np.float32),
        spread=probability[:, :0],
        hierarchy=nodes_of(classes, base.ALERT_HIERARCHY),
        alert_id=10**15 + np.arange(number),
        mjd=np.full(number, 59000.0),
    )
    return table, generator.choice(np.array(classes, object), number)


def take(table, rows):
    """Some rows of a table, in this order."""
    names = ("object_id", "probability", "embedding", "spread", "alert_id", "mjd")
    return dataclasses.replace(table, **{n: getattr(table, n)[rows] for n in names})


def written(table, path):
    table.write(path)
    return path


def truth_file(path, table, label, key="alert_id", column="class"):
    return truth_of(path, getattr(table, key).tolist(), label, key, column)


def truth_of(path, names, label, key="alert_id", column="class"):
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([key, column])
        rows.writerows(zip(names, label, strict=True))
    return path


@pytest.fixture(scope="module")
def run_of(alert_run, tmp_path_factory):
    """Makes the folder of a run with other classes."""

    def make(*classes):
        task = json.loads((alert_run / "task.json").read_text())
        workdir = tmp_path_factory.mktemp("fine")
        (workdir / "task.json").write_text(json.dumps(task | {"classes": classes}))
        return workdir

    return make


@pytest.fixture(scope="module")
def fine_run(run_of):
    return run_of(*FINE)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".avro"])
def test_scores_equal_those_of_scikit_learn(suffix, alert_run, tmp_path):
    table, label = random_table()
    path = written(table, tmp_path / f"new{suffix}")
    found, notes = score(alert_run, path, truth_file(tmp_path / "t.csv", table, label))
    assert notes == []
    assert list(found) == ["classes"]
    of_all, predicted = found["classes"]["all"], table.predicted.tolist()
    assert of_all["num_objects"] == NUMBER
    for name, value in (
        ("accuracy", metrics.accuracy_score(label, predicted)),
        ("macro_f1", metrics.f1_score(label, predicted, average="macro")),
        ("balanced_accuracy", metrics.balanced_accuracy_score(label, predicted)),
    ):
        assert of_all[name].value == pytest.approx(value)
        assert of_all[name].low < value < of_all[name].high
    commonest = max(np.unique(label, return_counts=True)[1]) / NUMBER
    majority = found["classes"][MAJORITY]["accuracy"].value
    assert majority == pytest.approx(commonest)
    assert f"| classes: {MAJORITY} |" in as_text(found)


def test_scores_do_not_depend_on_the_order_of_rows(alert_run, tmp_path):
    table, label = random_table()
    order = np.random.default_rng(1).permutation(NUMBER)
    truth = truth_file(tmp_path / "t.csv", table, label)
    path = written(table, tmp_path / "new.csv")
    shuffled = written(take(table, order), tmp_path / "shuffled.csv")
    assert score(alert_run, path, truth) == score(alert_run, shuffled, truth)


def test_alerts_of_an_object_are_resampled_together(alert_run, tmp_path):
    table, label = random_table()
    label = np.repeat(label[::2], 2)
    same = np.repeat(table.probability[::2], 2, axis=0)
    table = dataclasses.replace(table, probability=same)
    truth = truth_file(tmp_path / "t.csv", table, label)
    twice, _ = score(alert_run, written(table, tmp_path / "twice.csv"), truth)
    once = take(table, np.arange(0, NUMBER, 2))
    once, _ = score(alert_run, written(once, tmp_path / "once.csv"), truth)
    for name in ("accuracy", "macro_f1", "balanced_accuracy"):
        pair = (found["classes"]["all"][name] for found in (twice, once))
        np.testing.assert_allclose(*pair)


def test_rows_that_are_not_scored_are_counted(alert_run, tmp_path):
    table, label = random_table()
    label[:3], label[3:5] = "TDE", "PISN"
    names = [*table.alert_id[:50].tolist(), 7, 8]
    truth = truth_of(tmp_path / "t.csv", names, [*label[:50], "SN", "SN"])
    found, notes = score(alert_run, written(table, tmp_path / "new.csv"), truth)
    assert found["classes"]["all"]["num_objects"] == 45
    assert notes == [
        "10 predictions have no truth.",
        "2 truths have no prediction.",
        "2 of label 'PISN', which the run does not have, are not scored.",
        "3 of label 'TDE', which the run does not have, are not scored.",
    ]


def test_labels_below_a_class_count_as_that_class(alert_run, tmp_path):
    table, label = random_table()
    path = written(table, tmp_path / "new.csv")
    coarse, _ = score(alert_run, path, truth_file(tmp_path / "a.csv", table, label))
    kinds = np.where(label == "SN", "SNII", np.where(label == "VS", "EB", label))
    fine, notes = score(alert_run, path, truth_file(tmp_path / "b.csv", table, kinds))
    assert (fine, notes) == (coarse, [])


def test_a_coarse_label_is_scored_at_the_levels_it_determines(fine_run, tmp_path):
    table, label = random_table(classes=FINE)
    label[:20], label[20:30] = "SN", "CoreCollapse"
    path = written(table, tmp_path / "new.parquet")
    truth = truth_file(tmp_path / "t.csv", table, label)
    found, notes = score(fine_run, path, truth)
    assert notes == []
    counts = {level: found[level]["all"]["num_objects"] for level in found}
    assert counts == {"level 1": 60, "level 2": 40, "classes": 30}
    assert found["level 1"]["class SN"]["num_objects"] >= 30
    supernova = np.isin(label, ("SN", "CoreCollapse", "SNIa", "SNIbc", "SNII"))
    probability = table.probability
    sums = np.stack([probability[:, :3].sum(1), *probability[:, 3:].T], 1)
    index = np.where(supernova, 0, np.where(label == "EB", 1, 2))
    accuracy = (sums.argmax(1) == index).mean()
    assert found["level 1"]["all"]["accuracy"].value == pytest.approx(accuracy)


def test_a_label_that_a_class_covers_in_part_does_not_count_as_it(run_of, tmp_path):
    """SN includes SNIbc, so neither SNIa nor SNII is right for it."""
    classes = ("SNIa", "SNII", "AGN")
    table, label = random_table(classes=classes)
    path = written(table, tmp_path / "new.csv")
    truth = truth_file(tmp_path / "t.csv", table, ["SN", "CoreCollapse", *label[2:]])
    found, notes = score(run_of(*classes), path, truth)
    counts = {level: found[level]["all"]["num_objects"] for level in found}
    assert (counts, notes) == ({"level 1": NUMBER, "classes": NUMBER - 2}, [])
    truth = truth_file(tmp_path / "t.csv", table, ["SN"] * NUMBER)
    found, notes = score(run_of(*classes), path, truth)
    assert list(found) == ["level 1"]
    assert notes == ["No label determines the classes."]
    assert "level 1: SN |" in as_text(found)
    assert "level 1: AGN |" not in as_text(found)  # no object is one


def test_a_joined_class_has_the_labels_of_its_parts_their_row_and_its_name(
    run_of, tmp_path
):
    classes = ("SNIa", "SNIbc+SNII", "AGN")
    table, _ = random_table(classes=classes)
    path = written(table, tmp_path / "new.csv")
    right = []
    for name in ("SNIbc", "SNII", "CoreCollapse", "SNIbc+SNII"):
        truth = truth_file(tmp_path / "t.csv", table, [name] * NUMBER)
        found, notes = score(run_of(*classes), path, truth)
        assert notes == []
        right.append(found["classes"]["all"])
    assert right == [right[0]] * 4


def test_repeated_predictions_and_empty_labels_are_not_scored(alert_run, tmp_path):
    table, label = random_table()
    once = written(table, tmp_path / "once.csv")
    truth = truth_file(tmp_path / "t.csv", table, label)
    expected, _ = score(alert_run, once, truth)
    repeated = take(table, np.r_[:NUMBER, :7])
    again = written(repeated, tmp_path / "again.csv")
    found, notes = score(alert_run, again, truth)
    assert found == expected
    assert notes == ["7 predictions repeat one above, and are not scored."]
    truth = truth_file(tmp_path / "t.csv", table, [*label[:55], *[""] * 5])
    found, notes = score(alert_run, once, truth)
    assert found["classes"]["all"]["num_objects"] == 55
    assert notes == ["5 predictions have no truth.", "5 truths have no label."]


def test_the_label_of_an_object_counts_for_all_its_alerts(alert_run, tmp_path):
    table, label = random_table()
    path, label = written(table, tmp_path / "new.csv"), np.repeat(label[::2], 2)
    by_alert = truth_file(tmp_path / "a.csv", table, label)
    by_object = truth_file(tmp_path / "o.csv", table, label, key="object_id")
    assert score(alert_run, path, by_alert) == score(alert_run, path, by_object)


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
def test_a_table_of_labels_that_does_not_fit_is_refused(
    text, words, alert_run, tmp_path
):
    path = written(random_table()[0], tmp_path / "new.csv")
    (tmp_path / "t.csv").write_bytes(text)
    with pytest.raises(ValueError, match=words):
        score(alert_run, path, tmp_path / "t.csv")


def test_a_table_of_labels_with_a_byte_order_mark_is_read(alert_run, tmp_path):
    """Spreadsheets write one."""
    table, label = random_table()
    path = written(table, tmp_path / "new.csv")
    truth = truth_file(tmp_path / "t.csv", table, label)
    expected = score(alert_run, path, truth)
    truth.write_bytes(b"\xef\xbb\xbf" + truth.read_bytes())
    assert score(alert_run, path, truth) == expected


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
def test_predictions_that_do_not_fit_are_refused(text, words, alert_run, tmp_path):
    (tmp_path / "new.csv").write_text(text)
    truth = truth_file(tmp_path / "t.csv", *random_table())
    with pytest.raises(ValueError, match=words):
        score(alert_run, tmp_path / "new.csv", truth)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".avro"])
def test_damaged_predictions_give_a_message(suffix, alert_run, tmp_path):
    table, label = random_table()
    path = written(table, tmp_path / f"new{suffix}")
    truth, whole = truth_file(tmp_path / "t.csv", table, label), path.read_bytes()
    generator, messages = np.random.default_rng(0), []
    for _ in range(60):
        found = bytearray(whole)
        for place in generator.integers(len(found), size=3):
            found[place] ^= generator.integers(1, 256)
        path.write_bytes(found[: generator.integers(len(found) // 2, len(found))])
        try:
            score(alert_run, path, truth)
        except (OSError, ValueError) as error:
            messages.append(message_of(error))
    assert all(messages)


def test_contradicting_labels_are_refused(alert_run, tmp_path):
    table, label = random_table()
    truth = truth_file(tmp_path / "t.csv", table, label, key="object_id")
    with pytest.raises(ValueError, match=r"object_id ZTF0.. '\w+' and '\w+'\. Give"):
        score(alert_run, written(table, tmp_path / "new.csv"), truth)


def test_predictions_of_another_run_are_refused(fine_run, tmp_path):
    table, label = random_table()
    truth = truth_file(tmp_path / "t.csv", table, label)
    with pytest.raises(ValueError, match="no column p_SNIa"):
        score(fine_run, written(table, tmp_path / "new.csv"), truth)


@pytest.mark.parametrize("name", ["new.txt", "new.csv", "new.parquet", "new.avro"])
def test_a_file_that_is_no_table_of_predictions_is_refused(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"[Gg]ive (a file|one) that"):
        read_predictions(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["=1+1", "+x", "-5", "@me", "ZTF18a", "'", "5", "'=x", "''=x"]
)
def test_names_like_formulas_come_back(name, tmp_path):
    assert unescape_cell(escape_cell(name)) == name
    table, _ = random_table(number=2)
    names = np.array([name, *table.object_id[1:]])
    table = dataclasses.replace(table, object_id=names)
    for suffix in (".csv", ".parquet", ".avro"):
        found = read_predictions(written(table, tmp_path / f"new{suffix}"))
        assert found["object_id"][0] == name


def test_the_command_prints_scores_and_what_is_not_scored(alert_run, tmp_path):
    table, label = random_table()
    label[0] = "TDE"
    path = written(table, tmp_path / "new.avro")
    truth = truth_file(tmp_path / "t.csv", table, label, column="what")
    flags = {"workdir": alert_run, "predictions": path, "truth": truth}
    done = commands.run("score", column="what", **flags)
    unknown = "1 of label 'TDE', which the run does not have, are not scored."
    assert (done.code, done.stderr) == (0, f"{unknown}\n")
    assert "| classes | 0." in done.stdout
    as_json = json.loads(commands.run("score", "--json", column="what", **flags).stdout)
    assert as_json["not_scored"] == [unknown]
    assert as_json["scores"]["classes"]["all"]["num_objects"] == NUMBER - 1
