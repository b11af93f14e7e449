"""Real or bogus: simulated hand-scan images, the network, and the study."""

import functools

import jax
import numpy as np
import pytest
from support import runs

from configs import real_bogus_cnn
from data_builders.sdss import sdss_handscan, sdss_handscan_sim
from experiments.studies.real_bogus import (
    area_interval,
    fit_eigenimages,
    make_classifiers,
    measure,
)
from jaxastro.evaluation.predictions import load
from jaxastro.models import make_model
from jaxastro.representations import cutout
from jaxastro.runs import train
from jaxastro.simulation.handscan import CLASSES, SURVEY, simulate_image
from jaxastro.types import Image

NONE = np.zeros((2, 0), np.float32)


def images(size=69, seed=0):
    pixels = np.random.default_rng(seed).random((2, size, size, 3))
    return Image(pixels.astype(np.float32), NONE, NONE.astype(bool))


@functools.cache
def made(form, num_classes=2):
    model = make_model("real_bogus_cnn", num_classes=num_classes, form=form)
    variables = model.init(jax.random.key(0), images(), train=False)
    return model, variables


@pytest.mark.parametrize("form", ["initial", "refined"])
def test_parameters_are_those_published(form):
    _, variables = made(form)
    leaves = jax.tree.leaves(variables["params"])
    assert sum(leaf.size for leaf in leaves) == 1_420_738


def test_only_the_refined_form_has_dropout_and_leaky_units():
    def trained(form, seed):
        model, variables = made(form)
        rngs = {"dropout": jax.random.key(seed)}
        return model.apply(variables, images(), train=True, rngs=rngs).logits

    np.testing.assert_array_equal(trained("initial", 0), trained("initial", 1))
    assert abs(trained("refined", 0) - trained("refined", 1)).max() > 1e-4
    model, variables = made("refined")
    assert float(model.apply(variables, images(), train=False).embedding.min()) < 0
    model, variables = made("initial")
    assert float(model.apply(variables, images(), train=False).embedding.min()) == 0


def test_an_unknown_form_is_answered_with_the_known():
    with pytest.raises(ValueError, match="initial, refined"):
        make_model("real_bogus_cnn", num_classes=2, form="first").init(
            jax.random.key(0), images(), train=False
        )


# -- images -------------------------------------------------------------------------


def test_every_class_of_the_survey_is_simulated_as_grey_levels():
    assert set(CLASSES) == set(SURVEY.classes) == set(sdss_handscan_sim.SHARE)
    assert sum(sdss_handscan_sim.SHARE.values()) == pytest.approx(1)
    for label in CLASSES:
        image = simulate_image(label, number=3, seed=1)
        assert image.shape == sdss_handscan.SHAPE
        assert image.dtype == np.float32
        assert (image == np.rint(image)).all()
        assert 0 <= image.min() < image.max() <= 255


def test_the_same_number_gives_the_same_image_and_noise_is_independent_of_class():
    again = [simulate_image("SN Gold", number=5, seed=0) for _ in range(2)]
    np.testing.assert_array_equal(*again)
    assert (simulate_image("SN Gold", number=6, seed=0) != again[0]).any()
    # Far from the middle there is only noise, the same but for its scale.
    corners = [
        simulate_image(label, number=5, seed=0)[:12, :12].ravel()
        for label in ("SN Gold", "Transient", "Dipole")
    ]
    for corner in corners[1:]:
        assert np.corrcoef(corner, corners[0])[0, 1] > 0.98


def test_moving_objects_change_place_between_colours_and_supernovae_do_not():
    def spread(label, number):
        image = simulate_image(label, number=number, seed=2)
        places = [
            np.unravel_index(image[..., band].argmax(), image.shape[:2])
            for band in range(3)
        ]
        return np.ptp(places, axis=0).max()

    numbers = range(20)
    moved = np.median([spread("Moving", n) for n in numbers])
    stayed = np.median([spread("SN Gold", n) for n in numbers])
    assert moved >= 3 > 2 >= stayed


def test_a_record_has_its_class_and_a_name_independent_of_it():
    readings = [sdss_handscan_sim.reading_of(n, seed=0) for n in range(300)]
    labels = [reading.record.label for reading in readings]
    share = np.mean([sdss_handscan.binary_class(label) == "Real" for label in labels])
    assert share == pytest.approx(0.57, abs=0.09)
    assert len({reading.object_id for reading in readings}) == 300
    assert all(r.record.truth == r.record.label for r in readings)


def test_grey_levels_become_zero_to_one_independent_of_the_image():
    record = sdss_handscan_sim.reading_of(0, seed=0).record
    how = {"max_epochs": 1, "normalisation": "grey", "statistics": {}}
    example = cutout.make_example(record, **how)
    np.testing.assert_allclose(example.image, record.image / 255, atol=1e-7)
    dark = record._replace(image=record.image // 2)
    np.testing.assert_allclose(
        cutout.make_example(dark, **how).image, dark.image / 255, atol=1e-7
    )


# -- the classical benchmark --------------------------------------------------------


def test_an_area_is_the_share_of_ordered_pairs_and_lies_in_its_interval():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 200)
    score = label + rng.normal(0, 1, 200)
    found = area_interval(label, score, np.arange(200))
    real, bogus = score[label == 1], score[label == 0]
    assert found.value == pytest.approx((real[:, None] > bogus).mean())
    assert found.low < found.value < found.high
    assert area_interval(label, np.zeros(200), np.arange(200)).value == 0.5


def test_coordinates_depend_on_training_images_alone():
    rng = np.random.default_rng(0)
    train, other = rng.normal(size=(2, 30, 9, 9, 3))
    project = fit_eigenimages(train, components=4, seed=0)
    assert project(other).shape == (30, 12)
    one_by_one = np.concatenate([project(one[None]) for one in other])
    np.testing.assert_allclose(project(other), one_by_one, atol=1e-9)


def test_the_commonest_class_every_classifier_and_the_run_are_scored(
    data_dir, tmp_path
):
    spec = runs.smoke(real_bogus_cnn.get_config)
    train(spec, tmp_path / "cnn", data_dir=data_dir)
    settings = {"components": 5, "seed": 0, "data_dir": data_dir}
    rows = measure(spec, [tmp_path / "cnn"], **settings)
    names = ["always the most frequent", *make_classifiers(0), "cnn"]
    assert [row["name"] for row in rows] == names
    assert rows[0]["balanced_accuracy"].value == 0.5
    assert rows[0]["auc"].value == 0.5
    predictions = load(tmp_path / "cnn" / "predictions")
    right = (predictions.probability.argmax(1) == predictions.label).mean()
    assert rows[-1]["accuracy"].value == pytest.approx(right)
