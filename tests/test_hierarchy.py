"""Hierarchies of classes: probabilities of nodes, and merging of rare classes."""

import collections
import csv
import itertools

import fastavro
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from support import runs
from support.predictions import make_predictions
from support.ztf_packets import container, packet

from configs import base, convention, stamp_hierarchy
from jaxastro.data.hierarchy import (
    check_hierarchy,
    expand_classes,
    index_within,
    is_merged_from,
    levels_of,
    merge_rare_classes,
    node_probabilities,
    nodes_of,
)
from jaxastro.data.loader import class_index
from jaxastro.evaluation.predictions import load, save
from jaxastro.reports import hierarchy
from jaxastro.runs import PredictionTable, train
from jaxastro.runs.checks import check_classes
from jaxastro.runs.dataset import open_dataset
from jaxastro.runs.spec import read_spec, write_spec
from jaxastro.runs.task import read_task
from jaxastro.runs.training_run import is_finished
from jaxastro.surveys import survey_of

ALERTS = base.ALERT_HIERARCHY
KINDS = base.ALERT_KINDS


@st.composite
def trees(draw):
    """Labels, nodes over some of them, and a count for each label."""
    labels = tuple("ABCDEFGHI"[: draw(st.integers(2, 9))])
    units, rows = list(labels), []
    for number in range(draw(st.integers(0, 4))):
        size = draw(st.integers(1, len(units)))
        members = tuple(draw(st.permutations(units))[:size])
        rows.append((f"row{number}", members))
        units = [one for one in units if one not in members] + [f"row{number}"]
    rows = tuple(draw(st.permutations(rows)))
    counts = st.lists(st.integers(0, 60), min_size=len(labels), max_size=len(labels))
    return labels, rows, dict(zip(labels, draw(counts), strict=True))


def probabilities(num_classes, num_objects=5, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(num_classes), num_objects)


def as_sets(classes):
    return {frozenset(one.split("+")) for one in classes}


def pooled_or_not(counts, hierarchy, fewest):
    try:
        return merge_rare_classes(counts, hierarchy, fewest)
    except ValueError:
        return None


# -- levels --------------------------------------------------------------------------


@given(trees())
def test_nodes_are_the_sums_of_their_members_on_every_level(tree):
    labels, rows, _ = tree
    check_hierarchy(rows, labels)
    nodes = nodes_of(labels, rows)
    assert set(nodes) == {name for name, _ in rows}
    probability = probabilities(len(labels))
    sums = dict(zip(nodes, node_probabilities(probability, nodes).T, strict=True))
    sums |= dict(zip(labels, probability.T, strict=True))
    for name, members in rows:
        total = sum(sums[member] for member in members)
        np.testing.assert_allclose(sums[name], total, rtol=1e-12)
    every = levels_of(labels, nodes)
    assert list(every[-1]) == list(labels)
    for coarse, fine in itertools.pairwise(every):
        assert len(coarse) <= len(fine)
        for inside in fine.values():  # entries are inside those of the level above
            assert any((inside <= outer).all() for outer in coarse.values())
    for level in every:
        assert (sum(inside.astype(int) for inside in level.values()) == 1).all()
        np.testing.assert_allclose(node_probabilities(probability, level).sum(1), 1)
        index = index_within(np.arange(len(labels)), level)
        for c, entry in enumerate(index):
            assert [*level.values()][entry][c]


@given(trees(), st.randoms())
def test_the_order_of_classes_and_nodes_does_not_matter(tree, random):
    labels, rows, counts = tree
    other, rows_too = list(labels), list(rows)
    random.shuffle(other)
    random.shuffle(rows_too)
    place = [other.index(name) for name in labels]
    one, two = nodes_of(labels, rows), nodes_of(tuple(other), tuple(rows_too))
    for name, inside in one.items():
        np.testing.assert_array_equal(two[name][place], inside)
    shuffled = {name: counts[name] for name in other}
    for fewest in (0, 5, 40):
        a = pooled_or_not(counts, rows, fewest)
        b = pooled_or_not(shuffled, tuple(rows_too), fewest)
        assert (a is None) == (b is None)
        assert a is None or as_sets(a) == as_sets(b)


def test_levels_of_alerts_are_those_of_brokers():
    first, second, last = levels_of(KINDS, nodes_of(KINDS, ALERTS))
    assert list(first) == list(base.ALERT_CLASSES)
    assert {"SNIa", "CoreCollapse", "Pulsating", "EB", "AGN", "ghost"} <= set(second)
    assert list(last) == list(KINDS)
    probability = np.zeros((1, len(KINDS)))
    probability[0, [KINDS.index(name) for name in ("SNIa", "SNII", "AGN")]] = (
        0.3,
        0.3,
        0.4,
    )
    assert node_probabilities(probability, first)[0].tolist() == [0.4, 0.6, 0, 0, 0]


def test_a_class_may_be_a_node():
    nodes = nodes_of(base.ALERT_CLASSES, ALERTS)
    assert not nodes
    assert len(levels_of(base.ALERT_CLASSES, nodes)) == 1
    written = expand_classes(base.ALERT_CLASSES, ALERTS)
    found = class_index(np.array(["SNII", "SN", "noise", "TDE"]), written)
    assert found.tolist() == [1, 1, 4, -1]
    assert expand_classes(("A", "B+C"), ()) == ("A", "B+C")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((("SN", ("SNIa", "SNIax")),), "has the unknown members SNIax"),
        ((("SN", ("SNIa",)), ("Other", ("SNIa",))), "has SNIa twice, as a member"),
        ((("SN", ("SNIa",)), ("SN", ("SNII",))), "has SN twice, as a name of a node"),
        ((("A", ("B",)), ("B", ("A",))), "A contains itself"),
        ((("A+B", ("SNIa",)),), "without \\+"),
        ((("A", ()),), "at least one member"),
    ],
)
def test_nodes_that_are_not_a_tree_are_errors(rows, words):
    with pytest.raises(ValueError, match=words):
        check_hierarchy(rows, ("SNIa", "SNII"))


def test_a_class_that_overlaps_a_node_in_part_is_an_error():
    with pytest.raises(ValueError, match=r"'SNIa\+AGN' contains a part of SN"):
        nodes_of(("SNIa+AGN", "SNII"), (("SN", ("SNIa", "SNII")),))


def test_a_wrong_hierarchy_is_an_error_before_data_are_built(tmp_path):
    spec = runs.smoke(
        convention.get_config, hierarchy=(("Supernova", ("SNIa", "SNIax")),)
    )
    assert "SNIax" in runs.error_message(check_classes, spec, survey_of(spec.survey))
    assert "SNIax" in runs.error_message(open_dataset, spec, data_dir=str(tmp_path))
    assert not list(tmp_path.iterdir())


# -- merging of rare classes ---------------------------------------------------------


@given(trees(), st.integers(0, 80))
def test_merged_classes_have_every_label_once_and_are_not_rare(tree, fewest):
    labels, rows, counts = tree
    pooled = pooled_or_not(counts, rows, fewest)
    if pooled is None:
        return
    times = collections.Counter("+".join(pooled).split("+"))
    assert times == dict.fromkeys(labels, 1)
    sizes = {one: sum(counts[name] for name in one.split("+")) for one in pooled}
    assert min(sizes.values()) >= fewest
    assert is_merged_from(pooled, labels)
    assert (
        merge_rare_classes(sizes, rows, fewest) == pooled
    )  # merging again changes nothing
    if min(counts.values()) >= fewest:
        assert pooled == labels
    tops = nodes_of(labels, rows).values()
    for one in pooled:  # merged classes share a node
        if "+" in one:
            places = [labels.index(name) for name in one.split("+")]
            assert any(inside[places].all() for inside in tops)


@given(trees())
def test_no_class_is_merged_by_default(tree):
    labels, rows, counts = tree
    assert merge_rare_classes(counts, rows, 0) == labels


def test_rare_classes_are_merged_with_siblings_first():
    counts = dict.fromkeys(KINDS, 200) | {"SNIbc": 20, "Cepheid": 30, "EB": 10}
    pooled = merge_rare_classes(counts, ALERTS, 100)
    assert {"SNIa", "SNIbc+SNII", "RRLyrae", "ghost"} & {*pooled} >= {"SNIbc+SNII"}
    # The first by name of equal counts; EB is merged with all pulsating stars.
    assert "RRLyrae+Cepheid+LongPeriod+EB" in pooled
    counts |= {"SNII": 30, "EB": 100}
    pooled = merge_rare_classes(counts, ALERTS, 100)
    assert {"SNIa+SNIbc+SNII", "RRLyrae", "Cepheid+LongPeriod", "EB"} <= set(pooled)


def test_a_rare_class_without_a_parent_is_an_error():
    with pytest.raises(ValueError, match=r"AGN 3.*give the class a parent"):
        merge_rare_classes(dict.fromkeys(KINDS, 200) | {"AGN": 3}, ALERTS, 100)
    with pytest.raises(ValueError, match="At least two classes need 9 each"):
        merge_rare_classes({"A": 5, "B": 5}, (("all", ("A", "B")),), 9)


# -- in a run ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def where(data_dir):
    return {"data_dir": data_dir, "manual_dir": ""}


def test_every_fold_has_the_same_classes_and_each_enough_to_train_on(where):
    found = set()
    for fold in range(5):
        spec = runs.smoke(stamp_hierarchy.get_config, **{"folds.test_fold": fold})
        dataset = open_dataset(spec, **where)
        found.add(dataset.classes)
        trained = dataset.index.label[dataset.rows["train"]]
        for one in dataset.classes:
            count = np.isin(trained, one.split("+")).sum()
            assert count >= spec.selection.min_class_size
    assert len(found) == 1
    assert any("Fewer than 1 training objects" in line for line in dataset.set_aside)


def test_a_run_whose_classes_were_pooled_is_finished_for_the_same_spec(where, tmp_path):
    spec = runs.smoke(stamp_hierarchy.get_config)
    pooled = open_dataset(spec, **where).classes
    assert pooled != spec.classes
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "predictions.npz").touch()
    write_spec(tmp_path, spec)
    assert is_finished(tmp_path, spec)
    fewer = tuple(name for name in spec.classes if name != "AGN")
    words = runs.error_message(is_finished, tmp_path, spec.replace({"classes": fewer}))
    assert "config.classes" in words
    # Merging does not change classes that are merged already.
    assert open_dataset(spec.replace({"classes": pooled}), **where).classes == pooled


def test_a_row_has_the_probabilities_and_predictions_above_the_classes():
    def columns_of(hierarchy):
        probability = probabilities(len(KINDS), 1)
        nothing = probability[:, :0]
        names = np.array(["one"])
        return PredictionTable(
            KINDS, names, probability, nothing, nothing, hierarchy
        ).columns()

    found = columns_of(nodes_of(KINDS, ALERTS))
    assert list(found) == [
        "object_id",
        "predicted",
        "predicted_level1",
        "predicted_level2",
        "probability",
        "hierarchy",
    ]
    sn = sum(found["probability"][name] for name in ("SNIa", "SNIbc", "SNII"))
    assert found["hierarchy"]["SN"] == pytest.approx(sn)
    assert found["predicted"][0] in KINDS
    assert found["predicted_level1"][0] in base.ALERT_CLASSES
    assert list(columns_of({})) == ["object_id", "predicted", "probability"]


# -- in stored predictions, reports and files of predictions ---------------------------


def test_scores_of_a_level_equal_scores_of_its_entries_as_classes(tmp_path):
    p = make_predictions(150)
    picture, table = hierarchy.write(p, tmp_path)
    assert (picture.name, table.name) == ("hierarchy.png", "hierarchy.csv")
    rows = list(csv.DictReader(table.open(newline="")))
    found = {(r["level"], r["name"], r["score"]): r for r in rows}
    merged = np.array([0, 1, 1, 2])[p.label]
    odds = np.float64(p.probability)
    odds = np.stack([odds[:, 0], odds[:, 1] + odds[:, 2], odds[:, 3]], axis=1)
    expected = f1_score(merged, odds.argmax(1), average="macro")
    score = found["level 1", "all", "macro_f1"]
    assert float(score["value"]) == pytest.approx(expected)
    assert float(score["low"]) <= expected <= float(score["high"])
    expected = f1_score(p.label, p.probability.argmax(1), average="macro")
    value = float(found["classes", "all", "macro_f1"]["value"])
    assert value == pytest.approx(expected)
    count = int(found["level 1", "class Supernova", "f1"]["num_objects"])
    assert count == (merged == 1).sum()
    assert not hierarchy.write(p._replace(hierarchy={}), tmp_path)


def test_a_hierarchy_is_stored_and_may_be_empty(tmp_path):
    p = make_predictions(20)
    (found,) = load(save(p, tmp_path).parent).hierarchy.items()
    assert found[0] == "Supernova"
    np.testing.assert_array_equal(found[1], p.hierarchy["Supernova"])
    save(p._replace(hierarchy={}), tmp_path)
    assert load(tmp_path).hierarchy == {}
    odd = {"Supernova": np.ones(3, bool)}
    with pytest.raises(ValueError, match="hierarchy Supernova has shape"):
        save(p._replace(hierarchy=odd), tmp_path)


def test_every_level_is_on_the_page_of_a_run_and_in_predictions_of_new_alerts(
    where, tmp_path
):
    run = tmp_path / "run"
    train(runs.smoke(stamp_hierarchy.get_config), run, **where)
    found = load(run / "predictions")
    assert found.classes == read_task(run).classes != KINDS
    assert read_spec(run).classes == KINDS
    assert list(found.hierarchy) == ["SN", "VS", "Bogus", "Pulsating"]
    assert "<h2>Hierarchy</h2>" in (run / "report" / "index.html").read_text()
    night = tmp_path / "night.avro"
    night.write_bytes(container(*(packet(f"ZTF18abcdef{c}", 1) for c in "ab")))
    names = [tmp_path / f"new.{kind}" for kind in ("csv", "parquet", "avro")]
    for name in names:
        assert runs.predict(run, night, name, report=tmp_path / "report.json") == 2
    rows = list(csv.DictReader(names[0].open(newline="")))
    with names[2].open("rb") as file:
        messages = list(fastavro.reader(file))
    for row, flat, message in zip(
        rows, pq.read_table(names[1]).to_pylist(), messages, strict=True
    ):
        assert list(row) == list(flat)
        assert row["predicted"] == message["predicted"]
        tops = {name: float(row[f"p_{name}"]) for name in base.ALERT_CLASSES}
        assert sum(tops.values()) == pytest.approx(1, abs=1e-5)
        assert row["predicted_level1"] == max(tops, key=tops.get)
        for name in found.hierarchy:
            assert flat[f"p_{name}"] == message["hierarchy"][name]
