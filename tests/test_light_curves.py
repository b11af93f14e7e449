"""Light curves of the images of another data set, and what is trained on them."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import runs
import tensorflow_datasets as tfds

from configs import lstm
from data_builders import light_curves
from data_builders.engine.prepare import prepare
from experiments import assemble
from experiments.dataset import open_dataset
from experiments.predict import predict
from experiments.train import train
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.record import Record, Records
from jaxastro.evaluation.predictions import load
from jaxastro.photometry import light_curve
from jaxastro.surveys import SURVEYS, light_curves_of, survey_of

IMAGES, CURVES = "sdss_sn_sim/tiny", "light_curves/sdss_sn_sim.tiny"
CARD = Path(light_curves.__file__).with_suffix(".md")


def records_of(name, kind, data_dir):
    builder = prepare(name, data_dir=data_dir)
    return Records(builder.as_data_source(split="all"), kind), builder


def test_objects_labels_and_groups_are_those_of_the_images(data_dir):
    images, _ = records_of(IMAGES, Record, data_dir)
    curves, builder = records_of(CURVES, LightCurveRecord, data_dir)
    found = {curve.object_id: curve for curve in curves}
    assert len(found) == len(images) > 0
    same = ("label", "label_source", "truth", "group")
    for image in images:
        curve = found[image.object_id]
        assert [getattr(curve, n) for n in same] == [getattr(image, n) for n in same]
    image = images[3]
    expected, _ = light_curve(image, SURVEYS["sdss_sn_sim"], drift=0.3)
    for name in LightCurveRecord.OF_EPOCHS:
        np.testing.assert_array_equal(
            getattr(found[image.object_id], name), getattr(expected, name)
        )
    assert builder.survey == survey_of(CURVES)
    report = json.loads((Path(builder.data_dir) / "set_aside.json").read_text())
    assert report


def test_folds_are_those_of_the_images(data_dir):
    def tested(survey, representation):
        config = lstm.get_config("smoke")
        config.survey, config.data.representation = survey, representation
        dataset = open_dataset(config, data_dir=data_dir, manual_dir="")
        return set(dataset.index.object_id[dataset.rows["test"]])

    assert tested(IMAGES, "series") == tested(CURVES, "light_curve") != set()


def test_facts_are_those_of_the_images_but_for_what_images_have():
    facts, images = survey_of(CURVES), SURVEYS["sdss_sn_sim"]
    assert (facts.bands, facts.classes) == (images.bands, images.classes)
    assert (facts.kind, facts.image_size) == ("light_curve", 0)
    assert facts.name == "light_curves/sdss_sn_sim"
    assert images.citation in facts.citation
    assert light_curves_of("hits", SURVEYS["hits"]).unit == "ADU"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("light_curves/asas", "'asas' is no survey of image time series"),
        ("light_curves/nowhere.tiny", "'nowhere' is no survey of image time series"),
        ("light_curves", "light_curves/: '' is no survey of image time series"),
    ],
)
def test_a_name_that_is_no_data_set_of_images_is_answered_in_words(
    name, words, tmp_path
):
    with pytest.raises(ValueError, match=re.escape(words)):
        prepare(name, data_dir=str(tmp_path))


def test_the_example_of_the_data_card_runs(data_dir, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", CARD.read_text(), re.DOTALL)
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(data_dir))
    names = {}
    exec(code.replace("laptop", "tiny"), names)
    assert len(names["source"]) == 60


@pytest.fixture(scope="module")
def trained(data_dir, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    train(runs.smoke(lstm.get_config), workdir, data_dir=data_dir)
    return workdir


def test_a_run_ends_with_a_page_of_light_curves(trained):
    shown = load(trained / "predictions").shown_inputs
    assert {"flux", "flux_error", "feature"} <= set(shown)
    assert (trained / "report" / "light_curves.png").exists()
    assert not (trained / "report" / "frames.png").exists()
    page = (trained / "report" / "index.html").read_text()
    assert "Light curves of" in page


def test_new_images_become_light_curves_and_probabilities(
    trained, data_dir, tmp_path, monkeypatch
):
    images, _ = records_of(IMAGES, Record, data_dir)
    some = [images[row] for row in range(3)]
    raw = tmp_path / "new.npz"
    np.savez(
        raw,
        images=np.concatenate([record.flux for record in some]),
        mjd=np.concatenate([record.mjd for record in some]),
        band=np.concatenate([record.band for record in some]),
        psf_fwhm=np.concatenate([record.psf_fwhm for record in some]),
        offsets=np.cumsum([0, *(len(record.mjd) for record in some)]),
        name=[record.object_id for record in some],
        label=[record.label for record in some],
    )
    output = tmp_path / "new.csv"
    assert predict(trained, raw, output, report=tmp_path / "aside.json") == 3
    rows = list(csv.DictReader(output.open()))
    assert [row["object_id"] for row in rows] == [record.object_id for record in some]
    for row in rows:
        total = sum(float(row[f"p_{name}"]) for name in SURVEYS["sdss_sn_sim"].classes)
        assert abs(total - 1) < 1e-5


def test_what_does_not_fit_together_is_said():
    config = lstm.get_config("smoke")
    config.survey = "sdss_sn_sim/tiny"
    with pytest.raises(ValueError, match="records of kind 'series', the repr"):
        assemble.survey_of_config(config)
    config.data.representation = "series"
    with pytest.raises(ValueError, match="Model lstm eats a LightCurve, the repr"):
        assemble.model_of_config(config)
    config = lstm.get_config("smoke")
    config.model.args.bands = 2
    with pytest.raises(ValueError, match=r"model's merged epochs have 2\. Set"):
        assemble.model_of_config(config)
    config = lstm.get_config("smoke")
    config.augment.truncate, config.data.normalisation = 1.0, "peak"
    with pytest.raises(ValueError, match="'peak' has looked at all of them"):
        assemble.model_of_config(config)
