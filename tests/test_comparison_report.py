import html
import json
import re

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics
from support.predictions import CLASSES, make_predictions, take_objects

from jaxastro.evaluation.bootstrap import Interval, score_intervals
from jaxastro.evaluation.paired import compare
from jaxastro.evaluation.pool import Pool, mean_intervals
from jaxastro.evaluation.systems import (
    Member,
    System,
    complete_seeds,
    pool_all_folds,
    pools_by_run,
    table_rows,
)
from jaxastro.reports.comparison import (
    confusion_matrix,
    missing_epochs,
    roc_curves,
    write,
)
from jaxastro.reports.comparison.order_check import published_order
from jaxastro.reports.style import percent_text

KEYS = {
    "model",
    "fold",
    "seed",
    "runs",
    "objects",
    "accuracy",
    "macro_f1",
    "balanced_accuracy",
    "seconds",
    "parameters",
}
# No measured score can have these digits.
NUMBERS = {"accuracy": 71.3379, "macro_f1": 62.7749, "seconds": 5400.0}


def make_system(name, *, noise, folds=3, seeds=2, published=None, has_missing=False):
    """Returns a system: the made-up model mixed with noise, on 90 objects."""
    everything = make_predictions(90)
    members = []
    for fold in range(folds):
        p = take_objects(everything, range(fold, 90, 3))
        for seed in range(seeds):
            rng = np.random.default_rng([seed, fold, len(name)])
            draws = rng.dirichlet(np.ones(4), len(p.label))
            mixed = np.float32((1 - noise) * p.probability + noise * draws)
            missing = {0.5: (mixed + 0.25) / 2, 0.9: draws} if has_missing else {}
            p = p._replace(probability=mixed)
            members.append(Member(fold, seed, p, 60.0, missing))
    return System(name, tuple(members), 1000, published or {})


def table(**changes):
    better = {key: value + 1 for key, value in NUMBERS.items()}
    return [
        make_system("ConvEntion | g", noise=0.1, published=better, has_missing=True),
        make_system("CNN+GRU, <i>", noise=0.8, published=NUMBERS, has_missing=True),
        make_system("ours", noise=0.3, **changes),
    ]


def written(systems, folder, *, reference="ConvEntion | g", **changes):
    paths = write(
        systems, folder, title="A table", reference=reference, runs=6, **changes
    )
    assert all(path.is_file() for path in paths)
    texts = [(folder / f"table.{end}").read_text() for end in ("json", "md", "html")]
    assert not any(re.search(r"\bnan\b", text, re.IGNORECASE) for text in texts)
    return texts


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    return folder, *written(table(), folder)


def tiny(label, predicted, **changes):
    """Returns predictions with confidence 1 for a few objects."""
    p = take_objects(make_predictions(len(label)), range(len(label)))
    p = p._replace(label=np.array(label), probability=np.eye(4)[predicted])
    return p._replace(**changes)


# -- the numbers -----------------------------------------------------------------------


def test_the_json_has_a_row_for_each_run_and_two_for_each_system(page):
    def refuse(name):
        raise AssertionError(name)

    rows = json.loads(page[1], parse_constant=refuse)  # NaN and Infinity are not JSON
    assert all(row.keys() >= KEYS for row in rows)
    assert len(rows) == 3 * (3 * 2 + 2)
    for row in rows:
        scores = [row["accuracy"], row["macro_f1"]]
        scores += [row["accuracy_confirmed"], row["macro_f1_confirmed"]]
        for score in scores:
            assert list(score) == ["value", "low", "high"]
            assert score["low"] <= score["value"] <= score["high"]
        is_all = row["fold"] == "all"
        assert is_all == (row["seed"] in ("ensemble", "mean"))
        assert is_all == ("accuracy_over_folds" in row)
        assert row["objects"] == (90 if is_all else 30)
    seconds = {row["seed"]: row["seconds"] for row in rows}
    assert seconds == {0: 60, 1: 60, "mean": 180, "ensemble": 360}
    above = [row for row in rows if "above_reference" in row]
    assert [row["model"] for row in above] == ["CNN+GRU, <i>", "ours"]
    assert {row["seed"] for row in above} == {"ensemble"}


def test_rows_are_the_pooled_ensemble_and_the_mean_of_the_seeds():
    system = make_system("one", noise=0.5)
    rows = {(r["fold"], r["seed"]): r for r in table_rows([system], "one")}
    label = np.concatenate([system.members[i].predictions.label for i in (0, 2, 4)])
    single = [member.predictions.probability for member in system.members]
    mean = np.concatenate([(single[i] + single[i + 1]) / 2 for i in (0, 2, 4)])
    found = rows["all", "ensemble"]
    predicted = mean.argmax(1)
    expected = {
        "accuracy": np.mean(predicted == label),
        "macro_f1": metrics.f1_score(label, predicted, average="macro"),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, predicted),
    }
    assert {n: found[n]["value"] for n in expected} == pytest.approx(expected)
    cells = pools_by_run(system)
    seeds = [
        pool_all_folds({k: v for k, v in cells.items() if k[1] == seed})
        for seed in (0, 1)
    ]
    expected = mean_intervals(seeds)["macro_f1"]._asdict()
    assert rows["all", "mean"]["macro_f1"] == pytest.approx(expected)
    p = system.members[3].predictions
    expected = score_intervals(p.label, p.probability, p.group, 4)["accuracy"]
    assert rows[1, 1]["accuracy"] == pytest.approx(expected._asdict())


def test_mean_and_deviation_over_folds():
    first = tiny([0, 1, 2, 3], [0, 1, 2, 2])  # accuracy 3/4
    second = tiny([0, 1, 2, 3], [0, 0, 1, 2])  # 1/4
    second = second._replace(object_id=np.array(list("abcd")))
    members = (Member(0, 0, first, 1.0, {}), Member(1, 0, second, 1.0, {}))
    *_, mean, total = table_rows([System("one", members, 1, {})], "one")
    for row in (mean, total):
        found = row["accuracy_over_folds"]
        assert found["mean"] == pytest.approx(0.5)
        assert found["deviation"] == pytest.approx(0.5 / np.sqrt(2))  # n - 1 = 1
    *_, total = table_rows([System("one", members[:1], 1, {})], "one")
    assert total["accuracy_over_folds"] == {"mean": 0.75, "deviation": None}


def test_confirmed_objects_are_scored_over_the_classes_they_have():
    label, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 2])
    source = np.array(["spectroscopic"] * 2 + ["catalogue"] * 2 + ["photometric"])
    p = tiny(label, predicted, label_source=source)
    (row, *_) = table_rows([System("a", (Member(0, 0, p, 1.0, {}),), 1, {})], "a")
    assert row["accuracy_confirmed"]["value"] == 0.5
    expected = metrics.f1_score(
        label[:4], predicted[:4], labels=[0, 1], average="macro"
    )
    assert row["macro_f1_confirmed"]["value"] == pytest.approx(expected)
    p = p._replace(label_source=np.full(5, "simulated"))
    (row, *_) = table_rows([System("a", (Member(0, 0, p, 1.0, {}),), 1, {})], "a")
    assert "macro_f1_confirmed" not in row


def test_rows_do_not_depend_on_the_order_of_objects_systems_and_runs():
    def shuffled(system):
        members = []
        for member in system.members:
            order = rng.permutation(len(member.predictions.label))
            shuffled_rows = take_objects(member.predictions, order)
            members.append(member._replace(predictions=shuffled_rows))
        return system._replace(members=tuple(members[::-1]))

    rng = np.random.default_rng(3)
    systems = [s._replace(published={}) for s in table()]
    before = table_rows(systems, "ours")
    after = table_rows([shuffled(s) for s in systems[::-1]], "ours")

    def named(rows):
        return {(r["model"], str(r["fold"]), str(r["seed"])): r for r in rows}

    assert named(before) == named(after)  # to the last digit


def test_only_common_test_objects_are_compared():
    systems = table()
    first, second = (pool_all_folds(pools_by_run(s)) for s in systems[:2])
    half = second._replace(**{f: getattr(second, f)[:30] for f in Pool._fields[1:]})
    found = compare(first, half)
    assert found.objects == 30
    nothing = half._replace(object_id=np.array([f"x{i}" for i in range(30)]))
    with pytest.raises(ValueError, match=r"no object in common.*split seed"):
        compare(first, nothing)
    with pytest.raises(ValueError, match=r"Object SN\d+ has another label"):
        compare(first, half._replace(label=(half.label + 1) % 4))


def test_published_orders_are_confirmed_contradicted_or_undecided():
    systems = table()
    found = {(v.above, v.score): v for v in published_order(systems, "ours")}
    one = found["ConvEntion | g", "macro_f1"]
    assert (one.below, one.outcome) == ("CNN+GRU, <i>", "confirmed")
    assert one.published == pytest.approx(1)
    assert one.measured.low > 0
    systems[0] = systems[0]._replace(published={"macro_f1": 1.0})
    (one,) = published_order(systems, "ours")
    assert (one.above, one.outcome) == ("CNN+GRU, <i>", "contradicted")
    few = [  # one field: nothing can be decided
        s._replace(
            members=tuple(
                m._replace(predictions=m[2]._replace(group=np.full(30, "field")))
                for m in s.members
            )
        )
        for s in systems
    ]
    assert {v.outcome for v in published_order(few, "ours")} == {"undecided"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: [s[0], s[0]], "A table needs different names"),
        (lambda s: s[1:], "the reference must be one of them"),
        (lambda s: [s[0]._replace(members=())], "No run of any system is finished"),
        (
            lambda s: [s[0]._replace(members=s[0].members * 2)],
            "two runs with the same fold",
        ),
        (
            lambda s: [
                s[0],
                s[1]._replace(
                    members=(
                        s[1]
                        .members[0]
                        ._replace(
                            predictions=s[1].members[0][2]._replace(classes=("a", "b"))
                        ),
                    )
                ),
            ],
            "Systems with different classes",
        ),
        (
            lambda s: [s[0]._replace(published={"accuracy": np.nan})],
            "nan is not a number",
        ),
    ],
)
def test_incompatible_systems_are_rejected(change, message):
    with pytest.raises(ValueError, match=message):
        table_rows(change(table()), "ConvEntion | g")


# -- the pictures ----------------------------------------------------------------------


def test_curves_have_the_areas_of_scikit_learn():
    rng = np.random.default_rng(1)
    is_class, score = rng.random(60) < 0.3, rng.integers(0, 12, 60) / 12  # with ties
    weight = rng.integers(0, 3, (4, 60)).astype(float)
    (roc, area), (_, mean) = roc_curves.rates(is_class, score, weight)
    for draw in range(4):
        given = {"sample_weight": weight[draw]}
        assert area[draw] == pytest.approx(
            metrics.roc_auc_score(is_class, score, **given)
        )
        expected = metrics.average_precision_score(is_class, score, **given)
        assert mean[draw] == pytest.approx(expected)
    assert (np.diff(roc) >= 0).all()
    (_, _), (precision, mean) = roc_curves.rates(is_class, score, np.ones((1, 60)))
    assert np.mean(precision) == pytest.approx(mean[0], abs=0.01)  # steps, not slopes


def test_a_confusion_matrix_has_its_spread_over_folds():
    first = tiny([0, 0, 1, 1], [0, 0, 1, 0])
    second = tiny([0, 0, 1, 2], [0, 1, 1, 2], object_id=np.array(list("abcd")))
    members = (Member(0, 0, first, 1.0, {}), Member(1, 0, second, 1.0, {}))
    mean, deviation = confusion_matrix.spread_over_folds(System("a", members, 1, {}))
    np.testing.assert_allclose(mean[0], [75, 25, 0, 0])
    np.testing.assert_allclose(deviation[0, :2], 50 / np.sqrt(2))
    np.testing.assert_allclose(mean[2], [0, 0, 100, 0])
    assert np.isnan(deviation[2]).all()  # only one fold has that class
    assert np.isnan(mean[3]).all()


def test_the_area_under_missing_epochs_is_the_mean_score():
    found = missing_epochs.curves_of(table())
    assert list(found) == ["ConvEntion | g", "CNN+GRU, <i>"]
    curve = found["ConvEntion | g"]
    np.testing.assert_array_equal(curve.share, [0, 0.5, 0.9])
    a, b, c = curve.value["accuracy"]
    expected = ((a + b) / 2 * 0.5 + (b + c) / 2 * 0.4) / 0.9
    assert missing_epochs.area_under(curve, "accuracy").value == pytest.approx(expected)
    assert missing_epochs.area_above(curve, curve, "macro_f1") == Interval(0, 0, 0)
    other = curve._replace(object_id=curve.object_id[:-1])
    assert missing_epochs.area_above(curve, other, "macro_f1") is None


def test_every_picture_is_written_with_its_caption(page):
    folder = page[0]
    names = {path.stem for path in folder.glob("*.png")}
    assert names == {
        "score_intervals",
        "missing_epochs",
        "confusion_matrix",
        "roc_curves",
        "embedding",
    }
    for name in names:
        with Image.open(folder / f"{name}.png") as image:
            metadata = image.text
        assert len(metadata["Title"]) > 7
        assert min(len(metadata[key]) for key in ("Description", "Comment")) > 10
        assert f'id="{name}"' in page[3]
        assert f"]({name}.png)" in page[2]
    assert (folder / "missing_epochs.csv").read_text().count("\n") == 1 + 2 * 2 * 3


# -- the page --------------------------------------------------------------------------


def sections(markdown):
    return dict(re.findall(r"^## (.*)\n([^#]*)", markdown, re.MULTILINE))


def test_published_scores_are_only_in_their_own_table(page):
    given = ("71.34", "72.34", "62.77", "63.77", "90 min", "71.3379")
    parts = sections(page[2])
    table_text = parts.pop("Published scores (other data)")
    assert all(number in table_text for number in given[:-1])
    text = "".join(parts.values()) + page[1]
    assert not any(number in text for number in given)
    halves = page[3].split('id="published"')
    assert len(halves) == 2
    own, after = halves[1].split("</section>", 1)
    assert all(number in own for number in given[:-1])
    assert not any(f">{number}<" in halves[0] + after for number in given)
    order = parts["Published and measured order"]
    assert r"| ConvEntion \| g | CNN+GRU, &lt;i> | Macro F1 | 1.00 |" in order
    assert "| confirmed |" in order


def test_the_page_is_one_file_without_outside_addresses(page):
    addresses = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\'\s>)]+)', page[3])
    assert len(addresses) > 7
    for address in addresses:
        assert address.startswith(("#", "data:")), address
    assert "CNN+GRU, &lt;i&gt;" in page[3]  # text, and no tag
    assert "<i>" not in page[3]
    assert "http" not in page[3].replace("http-equiv", "")


def test_the_page_agrees_with_the_rows(page):
    rows = {r["model"]: r for r in json.loads(page[1]) if r["seed"] == "ensemble"}
    text = html.unescape(page[3])
    for row in rows.values():
        assert f"<td>{percent_text(row['macro_f1'])}</td>" in text
    best = max(rows, key=lambda name: rows[name]["macro_f1"]["value"])
    assert f"Highest macro F1: “{best}”" in text
    gap = rows["CNN+GRU, <i>"]["above_reference"]["macro_f1"]
    assert gap["high"] < 0
    assert percent_text(gap, sign="+") in text
    assert "18 of 18 runs" in text
    assert "Unfinished" not in text


def test_an_unfinished_table_states_the_number_of_runs(tmp_path):
    systems = table()
    systems[1] = systems[1]._replace(members=systems[1].members[:3])
    systems[2] = systems[2]._replace(members=())
    rows, markdown, page = written(systems, tmp_path)
    assert "Unfinished: 9 of 18 runs are done." in markdown
    assert "CNN+GRU, &lt;i> 3 of 6; ours 0 of 6" in markdown
    assert "| 3 of 6 |" in markdown
    assert "9 of 18 runs" in page
    rows = json.loads(rows)
    assert {row["model"] for row in rows} == {"ConvEntion | g", "CNN+GRU, <i>"}
    half = [row for row in rows if row["model"] != "ConvEntion | g"]
    assert [row["seed"] for row in half] == [0, 1, 0, "mean", "ensemble"]
    *_, mean, total = half  # only of seed 0, which has both folds
    assert (mean["runs"], total["runs"], total["objects"]) == (2, 3, 60)
    assert total["above_reference"]["objects"] == 60
    assert complete_seeds(pools_by_run(systems[1])) == [0]


def test_one_run_of_one_system_is_a_table(tmp_path):
    system = make_system("single", noise=0.5, folds=1, seeds=1)
    empty = make_system("the reference", noise=0.5)._replace(members=())
    _, markdown, _ = written([empty, system], tmp_path, reference="the reference")
    assert "1 of 12 runs" in markdown
    assert "Published scores (other data)" not in markdown


def test_unknown_names_are_errors_that_list_the_known(tmp_path):
    with pytest.raises(ValueError, match=r"Unknown class 'SNib'.*SNOther"):
        written(table(), tmp_path, classes=("SNib",))
    with pytest.raises(ValueError, match=r"Unknown system 'our'.*ours"):
        written(table(), tmp_path, shown=("our",))
    assert "SNOther" in CLASSES
