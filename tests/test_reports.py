import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score
from support.light_curve import make_curves
from support.predictions import make_predictions, take_objects

from jaxastro.evaluation.predictions import no_early_evaluations, save
from jaxastro.reports import (
    REPORTS,
    embedding,
    frames,
    light_curves,
    page,
    score_by_days,
    scores,
)
from jaxastro.reports.score_by_epochs import spaced_ticks
from jaxastro.reports.style import count_text, display_name
from jaxastro.reports.summary import cautions, failures, summary_text
from jaxastro.runs.reporting import write_report
from jaxastro.runs.spec import Component, RunSpec

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    save(make_predictions(120), workdir / "predictions")
    (workdir / "config.json").write_text('{"model": {"name": "convention"}}')
    return write_report(workdir).parent


def written_page(predictions, folder):
    paths = [path for write in REPORTS.values() for path in write(predictions, folder)]
    return page.write(predictions, folder, paths).read_text(encoding="utf-8")


def test_metrics_json_has_a_stable_form(report):
    found = json.loads((report / "metrics.json").read_text())
    classes = {"AGN", "SNIa", "SNOther", "Variable"}
    triples = [found[name] for name in ("accuracy", "macro_f1", "balanced_accuracy")]
    for table in ("baselines", "above_baselines"):
        assert {"majority", "nuisance"} <= found[table].keys()
        for one in found[table].values():
            triples += [one[n] for n in ("accuracy", "macro_f1", "balanced_accuracy")]
    assert found["per_class"].keys() == classes
    for one in found["per_class"].values():
        triples += [one[name] for name in ("precision", "recall", "f1")]
    for triple in triples:
        assert list(triple) == ["value", "low", "high"]
        assert triple["low"] <= triple["value"] <= triple["high"]
    assert sum(row["count"] for row in found["per_class"].values()) == 120
    assert found["num_objects"] == 120
    assert found["scored_against"] == "survey labels"
    assert 0 < found["ece"] < 1
    assert found["log_loss"] > 0
    p = make_predictions(120)
    expected = f1_score(p.label, p.probability.argmax(axis=1), average="macro")
    assert found["macro_f1"]["value"] == pytest.approx(expected)


def test_every_report_writes_a_file_and_every_picture_has_a_caption(report):
    names = {path.name for path in report.iterdir()}
    assert {
        "metrics.json",
        "scores.csv",
        "confusion_matrix.csv",
        "score_by_epochs.csv",
    } <= names
    # These objects are image sequences.
    others = {"light_curves", "light_curve_image", "stamps", "nearest_neighbours"}
    pictures = set(REPORTS) - others - {"scores", "reconstructions"}
    pictures |= {"embedding_by_quantity"}
    assert not names & {f"{name}.png" for name in others}
    assert {f"{name}.png" for name in pictures} <= names
    text = (report / "index.html").read_text(encoding="utf-8")
    for name in pictures:
        with Image.open(report / f"{name}.png") as image:
            metadata = image.text
        assert len(metadata["Title"]) > 7
        assert min(len(metadata[key]) for key in ("Description", "Comment")) > 10
        assert f'id="{name}"' in text
        assert f"<h2>{metadata['Title']}</h2>" in text


@pytest.mark.parametrize("num_shown", [1, 4, 12])
def test_light_curves_are_drawn_if_they_are_the_input(num_shown, tmp_path):
    p = make_predictions(30)
    curves = make_curves(*[9] * (num_shown - 1), 0, bands=len(p.bands))
    p = p._replace(shown=np.arange(num_shown), shown_inputs=curves._asdict())
    assert not frames.write(p, tmp_path)
    (path,) = light_curves.write(p, tmp_path)
    with Image.open(path) as image:
        text = image.text["Comment"]
    drawn = min(num_shown, 10)
    assert text.startswith(f"Light curves of {count_text(drawn, 'object')}:")
    assert sum(map(int, re.findall(r"(\d+) (?:misclassified|correct)", text))) == drawn


def test_the_page_is_one_file_without_outside_addresses(report):
    text = (report / "index.html").read_text(encoding="utf-8")
    addresses = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\'\s>)]+)', text)
    assert len(addresses) > 7
    for address in addresses:
        assert address.startswith(("#", "data:")), address
    assert "http://" not in text
    assert "https://" not in text
    assert text.count("<img") == len(re.findall(r'alt="[^"]+"', text)) == 14
    assert "convention" in text  # the config
    found = json.loads((report / "metrics.json").read_text())
    assert summary_text(found).split(". ")[0] in text


@pytest.mark.parametrize(
    ("held_out", "text", "has_scores"),
    [
        ("validation_and_test", "Macro F1", True),
        ("validation", "This run has no test fold.", True),
        ("nothing", "This run was trained on all labelled objects.", False),
    ],
)
def test_the_page_states_which_objects_were_held_out(
    held_out, text, has_scores, tmp_path
):
    spec = RunSpec(model=Component("convention"), method=Component("supervised"))
    spec = spec.replace({"folds.held_out": held_out})
    (tmp_path / "config.json").write_text(json.dumps(spec.to_dict()))
    if has_scores:
        save(make_predictions(60), tmp_path / "predictions")
    written = write_report(tmp_path).read_text(encoding="utf-8")
    assert text in written
    assert ("no test fold" in written) == (held_out == "validation")
    assert ("Scores per class" in written) == has_scores


def test_hostile_names_are_shown_as_text(tmp_path):
    p = make_predictions(40)
    p = p._replace(
        title=HOSTILE,
        object_id=np.array([f"{HOSTILE} $\\frac{{ {i} 星" for i in range(40)]),
        classes=(HOSTILE, "$x_", "été", "=cmd()"),
        bands=("<b>", "$", "r", "i", "z"),
        label_source=np.where(p.label == 1, HOSTILE, "none"),
    )
    text = written_page(p, tmp_path)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "été" in text


def test_the_order_of_the_objects_changes_neither_scores_nor_the_embedding(tmp_path):
    p = make_predictions(60)
    order = np.random.default_rng(5).permutation(60)
    before, after = (
        scores.compute(take_objects(p, range(60))),
        scores.compute(take_objects(p, order)),
    )
    text, other = json.dumps(before), json.dumps(after)
    numbers = [
        np.array(re.findall(r"[\d.]+(?:e-\d+)?", t), float) for t in (text, other)
    ]
    np.testing.assert_allclose(*numbers, atol=1e-6)  # sums may round differently
    drawn = []
    for rows in (np.arange(60), order):
        folder = tmp_path / str(len(drawn))
        folder.mkdir()
        path, _ = embedding.write(take_objects(p, rows), folder)
        drawn.append(np.asarray(Image.open(path)))
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("num_objects", [1, 2, 3, 7])
def test_few_objects_give_a_page(tmp_path, num_objects):
    p = take_objects(make_predictions(50, seed=num_objects), range(num_objects))
    text = written_page(p, tmp_path)
    assert f"on {num_objects} objects" in text
    assert "are too narrow" in text


def test_degenerate_predictions_give_a_page(tmp_path):
    p = make_predictions(40)
    one_class = np.tile(np.float32([0, 1, 0, 0]), (40, 1))
    shown = p.shown_inputs
    p = p._replace(
        probability=one_class,  # all equal, confidence 1
        embedding=np.zeros((40, 3)),
        label=np.where(p.label == 2, 3, p.label),  # no object of SNOther
        spread=p.spread[:, :0],
        **no_early_evaluations(one_class, p.spread[:, :0]),
        shown_inputs=shown
        | {
            "image": np.full_like(shown["image"], np.nan),
            "epoch_mask": shown["epoch_mask"] & (np.arange(len(p.shown)) > 0)[:, None],
        },
    )
    text = written_page(p, tmp_path)
    assert "No object of class SNOther was scored" in text
    assert "not clearly above" in text or "clearly below" in text
    assert "not evaluated" not in text  # written in the picture, not on the page


def test_twenty_classes_and_nothing_shown(tmp_path):
    rng = np.random.default_rng(0)
    p = take_objects(make_predictions(100), range(100))
    probability = rng.dirichlet(np.ones(20), 100)
    p = p._replace(
        classes=tuple(f"class {i}" for i in range(20)),
        label=rng.integers(0, 20, 100),
        probability=probability,
        spread=probability / 2,
        early_probability=np.stack([probability] * 6),
        early_spread=np.stack([probability / 2] * 6),
        early_days_probability=np.stack([probability[p.detected]] * 7),
        baseline_probability={"majority": probability, "nuisance": probability},
        hierarchy={"the first ten": np.arange(20) < 10},
    )
    text = written_page(p, tmp_path)
    assert 'id="frames"' not in text


def test_the_summary_agrees_with_the_scores():
    found = scores.compute(make_predictions(300))
    assert "clearly above the nuisance baseline" in summary_text(found)
    p = make_predictions(300)
    found = scores.compute(p._replace(probability=p.baseline_probability["nuisance"]))
    assert "not clearly above the nuisance baseline" in summary_text(found)
    found = scores.compute(p._replace(probability=np.roll(p.probability, 1, axis=1)))
    assert "clearly below the nuisance baseline" in summary_text(found)
    found = scores.compute(p._replace(group=np.full(300, "one field")))
    assert any("only 1 independent group" in caution for caution in cautions(found))


def test_signs_of_failed_training_are_named_with_what_to_try():
    p = make_predictions(300)
    assert failures(scores.compute(p)) == []
    one = np.zeros_like(p.probability)
    one[:, 2] = 1
    (sentence,) = failures(scores.compute(p._replace(probability=one)))
    assert sentence.startswith(f"All 300 objects are predicted as {p.classes[2]}: ")
    assert "config.representation.normalisation" in sentence
    shuffled = np.random.default_rng(0).permutation(p.probability)
    (sentence,) = failures(scores.compute(p._replace(probability=shuffled)))
    assert "not clearly better than chance" in sentence
    worse = p.baseline_probability["nuisance"]
    better = p.baseline_probability | {"boosting": p.probability}
    found = scores.compute(p._replace(probability=worse, baseline_probability=better))
    assert "Gradient boosting on features" in failures(found)[-1]
    assert "clearly below the boosting baseline" in summary_text(found)
    assert set(failures(found)) <= set(cautions(found))


def test_the_summary_compares_spreads_only_if_they_differ():
    p = make_predictions(300)
    assert "sampled networks" not in summary_text(
        scores.compute(p._replace(spread=p.spread[:, :0]))
    )
    found = scores.compute(p)
    assert found["spread"]["first_above_all"]["low"] > 0  # made up so
    assert "after the first 2 epochs it is larger, as expected" in summary_text(found)
    assert "for misclassified objects it is not clearly different" in summary_text(
        found
    )
    early = p.early_spread.copy()
    early[0] = 0
    assert "epochs it is smaller, contrary to expectation" in summary_text(
        scores.compute(p._replace(early_spread=early))
    )
    is_wrong = p.probability.argmax(1) != p.label
    wide = p._replace(spread=p.spread + 0.1 * is_wrong[:, None])
    assert "for misclassified objects it is larger" in summary_text(
        scores.compute(wide)
    )
    few = scores.compute(wide._replace(group=np.repeat(["a", "b", "c"], 100)))
    assert "larger" not in summary_text(few)


def test_undetected_objects_are_counted(tmp_path):
    p = make_predictions(60)
    (path, table) = score_by_days.write(p, tmp_path)
    left_out = 60 - len(p.detected)
    with Image.open(path) as image:
        assert f"Of 60 objects {left_out} were never" in image.text["Description"]
    assert scores.compute(p)["after_detection"]["num_objects"] == 60 - left_out
    assert f",{60 - left_out},macro_f1," in table.read_text()
    undetected = p._replace(**no_early_evaluations(p.probability, p.spread))
    assert score_by_days.write(undetected, tmp_path) == []
    assert scores.compute(undetected)["after_detection"]["days"] == {}


def test_the_embedding_of_many_objects_is_a_stated_subsample(monkeypatch, tmp_path):
    monkeypatch.setattr(embedding, "MOST_OBJECTS", 50)
    path, _ = embedding.write(make_predictions(80), tmp_path)
    with Image.open(path) as image:
        assert "random 50 of the 80 objects" in image.text["Description"]
    place, projection = embedding.project(np.random.default_rng(0).normal(size=(10, 4)))
    assert place.shape == (10, 2)
    assert projection == "t-SNE (perplexity 3)"


def test_the_stretch_is_monotonic_and_survives_flat_or_missing_frames():
    noise = np.random.default_rng(0).normal(size=(4, 16, 16))
    star = np.zeros((4, 16, 16))
    star[:, 7:9, 7:9] = 100
    found = frames.stretch(noise + star)
    assert found.min() == 0
    assert found.max() == 1
    order = np.argsort((noise + star).ravel())
    assert (np.diff(found.ravel()[order]) >= 0).all()
    assert np.median(frames.stretch(noise)) < 0.3  # noise is not amplified
    assert (frames.stretch(np.ones((2, 8, 8))) == 0).all()
    assert (frames.stretch(np.full((2, 8, 8), np.nan)) == 0).all()


def test_display_names_are_shortened_and_escaped():
    assert display_name("a$b\n c") == r"a\$b c"
    assert display_name("x" * 30) == "x" * 23 + "…"


def test_the_command_has_help_and_names_missing_files(tmp_path):
    command = [sys.executable, "-m", "experiments.report"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert "--workdir" in shown.stdout
    assert "metrics.json" in shown.stdout
    with pytest.raises(FileNotFoundError, match=r"jaxastro evaluate"):
        write_report(tmp_path)


@pytest.mark.parametrize(("low", "is_warned"), [(0.20, False), (0.27, True)])
def test_observing_conditions_are_a_caution_only_above_chance(low, is_warned):
    nuisance = {"balanced_accuracy": {"value": 0.29, "low": low, "high": 0.33}}
    found = {
        "num_groups": 100,
        "per_class": {name: {"count": 50} for name in "abcd"},  # chance is 0.25
        "baselines": {"nuisance": nuisance},
        "balanced_accuracy": {"value": 0.7, "low": 0.6, "high": 0.8},
        "above_baselines": {},
        "predicted_classes": {"a": 100, "b": 100},
    }
    assert (
        any("Observing conditions predict" in text for text in cautions(found))
        == is_warned
    )


@pytest.mark.parametrize("most", [1, 2, 5, 19, 20, 100])
def test_axis_labels_do_not_overlap(most):
    at = np.arange(1, most + 1.0)
    kept = spaced_ticks(at)
    assert (kept[0], kept[-1]) == (1, most)
    gaps = np.diff(np.log2(kept))
    assert (gaps >= np.log2(most) / 20).all()
    if most <= 5:
        assert kept == at.tolist()
    assert spaced_ticks(np.array([3.0, 6, 12, 24])) == [3, 6, 12, 24]
