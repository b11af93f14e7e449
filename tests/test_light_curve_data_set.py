"""Light curves measured on the images of another data set, and runs on them."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from support import runs
from support.derived import in_test_fold, records_of

from configs import convention, lstm
from data_builders.derived import light_curves
from data_builders.derived.builder import ORIGIN_FILE
from data_builders.engine.index import Index, fingerprint
from data_builders.opening import builder_of, prepare
from jaxastro.data.light_curve import LightCurveRecord, make_light_curve_record
from jaxastro.data.record import Reading, first_epochs, without_random_epochs
from jaxastro.data.series import SeriesRecord, make_series_record
from jaxastro.errors import InputError
from jaxastro.evaluation.predictions import load
from jaxastro.photometry import measure_light_curve
from jaxastro.runs import train
from jaxastro.runs.dataset import _select_objects
from jaxastro.runs.model_building import build_model, reads_catalogue
from jaxastro.runs.record_input import readings_of
from jaxastro.surveys import SURVEYS, derived_of, survey_of

IMAGES, CURVES = "sdss_sn_sim/tiny", "light_curves/sdss_sn_sim.tiny"
CARD = Path(light_curves.__file__).with_suffix(".md")


def test_objects_labels_and_groups_are_those_of_the_images(data_dir):
    images, _ = records_of(IMAGES, SeriesRecord, data_dir)
    curves, builder = records_of(CURVES, LightCurveRecord, data_dir)
    found = {curve.object_id: curve for curve in curves}
    assert len(found) == len(images) > 0
    same = ("label", "label_source", "truth", "group")
    for image in images:
        curve = found[image.object_id]
        assert [getattr(curve, n) for n in same] == [getattr(image, n) for n in same]
    image = images[3]
    expected, _ = measure_light_curve(image, SURVEYS["sdss_sn_sim"], drift=0.3)
    for name in LightCurveRecord.OF_EPOCHS:
        np.testing.assert_array_equal(
            getattr(found[image.object_id], name), getattr(expected, name)
        )
    assert builder.survey == survey_of(CURVES)
    report = json.loads((Path(builder.data_dir) / "set_aside.json").read_text())
    assert report


def test_folds_are_those_of_the_images(data_dir):
    of_images = in_test_fold(runs.smoke(convention.get_config), data_dir)
    of_curves = runs.smoke(lstm.get_config)
    assert of_curves.survey == CURVES
    assert of_images == in_test_fold(of_curves, data_dir) != set()


def test_facts_are_those_of_the_images_but_for_what_images_have():
    facts, images = survey_of(CURVES), SURVEYS["sdss_sn_sim"]
    assert (facts.bands, facts.classes) == (images.bands, images.classes)
    assert (facts.kind, facts.image_size) == ("light_curve", 0)
    assert facts.name == "light_curves/sdss_sn_sim"
    assert images.citation in facts.citation
    assert derived_of("light_curves", "hits", SURVEYS["hits"]).unit == "ADU"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("light_curves/asas", "'asas' is no survey of image time series"),
        ("light_curves/nowhere.tiny", "'nowhere' is no survey of image time series"),
        ("heat_maps/hits", "heat_maps/hits: 'hits' is no survey of light curves"),
        ("light_curves", "light_curves/: '' is no survey of image time series"),
    ],
)
def test_a_name_of_another_kind_of_data_set_is_an_error(name, words, tmp_path):
    with pytest.raises(ValueError, match=re.escape(words)):
        prepare(name, data_dir=str(tmp_path))


def test_the_example_of_the_data_card_runs(data_dir, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", CARD.read_text(), re.DOTALL)
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(data_dir))
    names = {}
    exec(code.replace("laptop", "tiny"), names)
    assert len(names["records"]) == 60


def test_images_of_users_are_measured_by_psf_or_aperture():
    """By PSF where its width is known, else by aperture; small stamps are refused."""
    images = SURVEYS["sdss_sn_sim"]
    record, _ = make_series_record(
        "one",
        images,
        flux=np.random.default_rng(0).normal(size=(3, 32, 32)),
        mjd=[1, 2, 3],
        band=[0, 1, 2],
        psf_fwhm=1.2,
        noise=1.0,
    )
    no_psf = record._replace(psf_fwhm=np.full(3, np.nan, np.float32))
    small = no_psf._replace(
        flux=record.flux[:, :9, :9], bad_pixel=record.bad_pixel[:, :9, :9]
    )
    readings = [Reading(r.object_id, r, ("seen",)) for r in (record, no_psf, small)]
    readings.append(Reading("none", None, ("unreadable",)))
    facts = images._replace(name="hits")  # a user may call their folder so
    by_psf, by_aperture, refused, none = light_curves.light_curves_of(
        readings, facts, "image_folder"
    )
    expected, _ = measure_light_curve(record, images, drift=0.3)
    np.testing.assert_array_equal(by_psf.record.flux, expected.flux)
    expected, _ = measure_light_curve(record, images, radius=6.0)
    np.testing.assert_array_equal(by_aperture.record.flux, expected.flux)
    assert refused.record is None
    assert refused.notes[0] == "seen"
    assert "An aperture of 6.0 pixels in a stamp of (9, 9)" in refused.notes[1]
    assert none.notes == ("unreadable",)


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


def test_new_images_become_light_curves_and_probabilities(trained, data_dir, tmp_path):
    images, _ = records_of(IMAGES, SeriesRecord, data_dir)
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
    assert runs.predict(trained, raw, output, report=tmp_path / "aside.json") == 3
    rows = list(csv.DictReader(output.open()))
    assert [row["object_id"] for row in rows] == [record.object_id for record in some]
    for row in rows:
        total = sum(float(row[f"p_{name}"]) for name in SURVEYS["sdss_sn_sim"].classes)
        assert abs(total - 1) < 1e-5


def test_early_classification_does_not_use_features_of_later_epochs(data_dir):
    curves, _ = records_of(CURVES, LightCurveRecord, data_dir)
    curve = curves[0]._replace(features=np.array([1.0, np.nan]))
    np.testing.assert_array_equal(first_epochs(curve, 999).features, curve.features)
    assert np.isnan(first_epochs(curve, 3).features).all()
    assert np.isnan(without_random_epochs(curve, 0.5).features).all()
    empty = curve._replace(**{n: getattr(curve, n)[:0] for n in curve.OF_EPOCHS})
    assert len(without_random_epochs(empty, 0.5).mjd) == 0


def test_light_curves_of_images_that_were_built_again_are_not_opened(data_dir):
    builder = prepare(CURVES, data_dir=data_dir)
    noted = Path(builder.data_dir) / ORIGIN_FILE
    text = noted.read_text()
    noted.write_text("of other images")
    with pytest.raises(ValueError, match=r"built again later: .* Remove this folder"):
        prepare(CURVES, data_dir=data_dir)
    noted.unlink()  # older than the note
    assert prepare(CURVES, data_dir=data_dir).outdated() == ""
    noted.write_text(text)
    assert prepare(CURVES, data_dir=data_dir).outdated() == ""


def test_a_copy_of_a_data_set_has_its_fingerprint_and_other_files_have_not(
    data_dir, tmp_path
):
    builder = prepare(IMAGES, data_dir=data_dir)
    expected = fingerprint(builder)
    shutil.copytree(builder.data_dir, tmp_path / IMAGES / builder.data_path.name)
    copy = builder_of(IMAGES, data_dir=str(tmp_path))
    assert fingerprint(copy) == expected
    (file,) = copy.info.splits["objects"].filepaths
    content = bytearray(Path(file).read_bytes())
    content[-100] ^= 1
    Path(file).write_bytes(content)
    assert fingerprint(copy) != expected


def test_objects_without_epochs_are_left_out_unless_a_catalogue_is_read():
    names = np.array([f"star_{i}" for i in range(9)])
    words = [np.full(9, word) for word in ("AGN", "catalogue", "", "all")]
    epochs = np.array([[2, 1]] + [[0, 0]] * 7 + [[0, 3]])
    index, survey = Index(names, *words, epochs), SURVEYS["sdss_sn_sim"]
    spec = runs.smoke(lstm.get_config)

    def select(spec):
        uses_catalogue = reads_catalogue(spec)
        return _select_objects(index, spec, survey, reads_catalogue=uses_catalogue)

    _, wanted, set_aside = select(spec)
    assert np.flatnonzero(wanted).tolist() == [0, 8]
    assert set_aside == (
        "Without an epoch, left out: 7 objects (star_1, star_2, star_3, star_4, star_5 "
        "and 2)",
    )
    spec = spec.replace({"model.args.features": True})
    _, wanted, set_aside = select(spec)
    assert wanted.all()
    assert not set_aside
    _, wanted, set_aside = select(spec.replace({"selection.bands": ("u",)}))
    assert np.flatnonzero(~wanted).tolist() == [8]
    assert set_aside == ("Without an epoch in u, left out: 1 objects (star_8)",)


def test_new_objects_without_epochs_are_refused_unless_a_catalogue_is_read():
    nothing = {name: np.zeros(0) for name in LightCurveRecord.OF_EPOCHS}
    empty = make_light_curve_record(
        "star",
        SURVEYS["sdss_sn_sim"]._replace(columns=(("p", "d"),)),
        features={"p": 1},
        **nothing,
    )[0]
    spec = runs.smoke(lstm.get_config)
    task = runs.task_of(spec)
    (refused,) = readings_of([empty], spec, task, reads_catalogue=reads_catalogue(spec))
    assert refused.record is None
    assert "Object star: no epoch, and the run's model reads no" in refused.notes[0]
    spec = spec.replace({"model.args.features": True})
    (taken,) = readings_of([empty], spec, task, reads_catalogue=reads_catalogue(spec))
    assert taken.record is empty


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"survey": "sdss_sn_sim/tiny"},
            "holds records of kind 'series', the representation 'light_curve' is of",
        ),
        (
            {"survey": "sdss_sn_sim/tiny", "representation.name": "series"},
            "Model lstm takes LightCurve input, the representation 'series' makes Ser",
        ),
        ({"model.args.bands": 2}, "model's merged epochs have 2. Set config.model"),
        ({"model.args.features": True}, "features=True, but survey light_curves/sdss"),
        (
            {"augment.jitter": 1.0, "representation.normalisation": "log"},
            "config.augment.jitter with normalisation 'log', whose errors are on",
        ),
        (
            {"augment.truncate": 1.0, "representation.normalisation": "peak"},
            "ends series early, but normalisation 'peak' uses all epochs. It is poss",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changed, words):
    def build(spec):
        return build_model(spec, runs.task_of(spec))

    spec = runs.smoke(lstm.get_config)
    build(spec)
    with pytest.raises(InputError, match=re.escape(words)):
        build(spec.replace(changed))


def test_a_catalogue_and_series_that_end_early_are_not_used_together():
    spec = runs.smoke(lstm.get_config).replace(
        {
            "survey": "ztf_periodic/clean",
            "classes": ("EA", "EW"),
            "model.args.bands": 2,
            "model.args.features": True,
        }
    )
    build_model(spec, runs.task_of(spec))
    spec = spec.replace({"augment.truncate": 1.0})
    with pytest.raises(InputError, match="a catalogue was measured on whole light cur"):
        build_model(spec, runs.task_of(spec))
