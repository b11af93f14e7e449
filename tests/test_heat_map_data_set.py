"""Heat maps of the light curves of another data set, and what is trained on them."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support import runs
from support.derived import in_test_fold, records_of
from support.runs import predict

from configs import convention, scone
from data_builders.derived import heat_maps
from jaxastro.data.cutout import CutoutRecord
from jaxastro.data.light_curve import LightCurveRecord
from jaxastro.data.series import SeriesRecord
from jaxastro.evaluation.predictions import load
from jaxastro.runs import train
from jaxastro.runs.task import select_survey
from jaxastro.surveys import SURVEYS, survey_of

IMAGES, CURVES = "sdss_sn_sim/tiny", "light_curves/sdss_sn_sim.tiny"
HEAT_MAPS = "heat_maps/light_curves.sdss_sn_sim.tiny"
CARD = Path(heat_maps.__file__).with_suffix(".md")


def test_objects_labels_and_groups_are_those_of_the_light_curves(data_dir):
    curves, _ = records_of(CURVES, LightCurveRecord, data_dir)
    maps, builder = records_of(HEAT_MAPS, CutoutRecord, data_dir)
    found = {one.object_id: one for one in maps}
    assert len(found) == len(curves) > 0
    same = ("label", "label_source", "truth", "group")
    for curve in curves:
        one = found[curve.object_id]
        assert [getattr(one, n) for n in same] == [getattr(curve, n) for n in same]
        np.testing.assert_array_equal(one.mjd, curve.mjd)
        assert one.image.shape == (32, 180, 2)
        assert one.image.dtype == np.float32
    assert builder.survey == survey_of(HEAT_MAPS)
    assert (builder.survey.name, builder.survey.kind) == (
        "heat_maps/light_curves.sdss_sn_sim",
        "cutout",
    )
    report = json.loads((Path(builder.data_dir) / "set_aside.json").read_text())
    assert report["objects_read"] == len(curves)


def test_folds_are_those_of_the_images(data_dir):
    of_images = in_test_fold(convention.get_config("smoke"), data_dir)
    of_maps = scone.get_config("smoke")
    assert of_maps.survey == HEAT_MAPS
    assert of_images == in_test_fold(of_maps, data_dir) != set()


def test_the_example_of_the_data_card_runs(data_dir, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", CARD.read_text(), re.DOTALL)
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(data_dir))
    names = {}
    exec(code.replace("laptop", "tiny"), names)
    assert len(names["records"]) == 60


@pytest.fixture(scope="module")
def trained(data_dir, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    train(runs.smoke(scone.get_config), workdir, data_dir=data_dir)
    return workdir


def test_a_run_ends_with_a_page_of_heat_maps_without_early_classification(trained):
    found = load(trained / "predictions")
    assert found.shown_inputs["image"].shape[1:] == (32, 180, 2)
    assert not len(found.early_epochs)
    assert found.num_epochs.min() > 3
    assert (trained / "report" / "light_curve_image.png").exists()
    assert not (trained / "report" / "frames.png").exists()
    assert (
        "Example light-curve images" in (trained / "report" / "index.html").read_text()
    )


def test_new_images_become_heat_maps_and_probabilities(trained, data_dir, tmp_path):
    images, _ = records_of(IMAGES, SeriesRecord, data_dir)
    some = [images[row] for row in range(3)]
    raw, output = tmp_path / "new.npz", tmp_path / "new.csv"
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
    assert predict(trained, raw, output, report=tmp_path / "aside.json") == 3
    rows = list(csv.DictReader(output.open()))
    assert [row["object_id"] for row in rows] == [record.object_id for record in some]
    for row in rows:
        total = sum(float(row[f"p_{name}"]) for name in SURVEYS["sdss_sn_sim"].classes)
        assert abs(total - 1) < 1e-5


def test_contradictory_settings_are_errors():
    with pytest.raises(ValueError, match="no preset 'hits': a pixel of a heat map is"):
        scone.get_config("hits")
    config = scone.get_config("smoke")
    config.survey = CURVES
    with pytest.raises(ValueError, match="records of kind 'light_curve', the repr"):
        select_survey(runs.spec_of(config), survey_of(CURVES))
    config = scone.get_config("smoke")
    config.selection.bands = ("g",)
    with pytest.raises(ValueError, match=r"an image of .* combines all bands"):
        select_survey(runs.spec_of(config), survey_of(config.survey))
