from typing import get_type_hints

import numpy as np
import pytest
from support import runs

from data_builders.planted import planted as builder
from data_builders.sdss.sdss_sn_sim import SURVEY as OTHER
from experiments.studies import planted_signals as study
from jaxastro.baselines.classifiers import fit_predict
from jaxastro.data.record import record_from_example
from jaxastro.data.series import SeriesRecord
from jaxastro.data.split import split_of
from jaxastro.evaluation.bootstrap import Interval
from jaxastro.leakage.nuisance_baseline import nuisance_baseline, nuisance_features
from jaxastro.models import MODELS
from jaxastro.photometry import aperture_light_curve
from jaxastro.representations.series import fit_statistics, make_example
from jaxastro.runs.model_building import build_model
from jaxastro.simulation.planted import CLASSES, SURVEY, draw_flare, simulate_pair
from jaxastro.types import LightCurve, Series

PAIRS = 150
PER_FRAME = ("flux", "psf_fwhm", "noise", "gain", "zero_point", "band", "bad_pixel")


@pytest.fixture(scope="module")
def order():
    return [simulate_pair(i, seed=0, planted="order") for i in range(PAIRS)]


@pytest.fixture(scope="module")
def host():
    return [simulate_pair(i, seed=0, planted="host") for i in range(PAIRS)]


def accuracy(features, pairs, fit):
    """Of a forest that learns from the first half of the pairs, on the second."""
    table = np.array([features(record) for pair in pairs for record in pair])
    label, half = np.tile([0, 1], len(pairs)), len(pairs) // 2 * 2
    found = fit(table[:half], label[:half], table[half:], num_classes=2, seed=0)
    return (found.argmax(axis=1) == label[half:]).mean()


def light(record):
    """An object's light curve, one number per frame."""
    flux, _ = aperture_light_curve(record.flux, record.bad_pixel, radius=6.0)
    return flux


# -- order -----------------------------------------------------------------------------


def test_a_pair_has_the_same_frames_in_reverse_order_bit_by_bit(order):
    for rise, fall in order:
        assert (rise.label, fall.label) == CLASSES["order"] == ("rise", "fall")
        assert rise.group == fall.group
        assert rise.object_id != fall.object_id
        np.testing.assert_array_equal(rise.mjd, fall.mjd)
        for name in PER_FRAME:
            one, other = getattr(rise, name), getattr(fall, name)
            np.testing.assert_array_equal(one, other[::-1], err_msg=name)


def test_times_are_symmetric_about_the_middle_frame(order, host):
    for record, _ in (*order, *host):
        since = record.mjd - record.mjd[len(record.mjd) // 2]
        np.testing.assert_array_equal(since, -since[::-1])
        assert (np.diff(since) > 1).all()


def test_a_flare_rises_fast_and_falls_slowly():
    days = np.arange(-60, 60, 0.01)
    flux = draw_flare(np.random.default_rng(0), days)
    peak = flux.argmax()
    above = days[flux > flux[peak] / np.e]
    assert 1 < days[peak] - above[0] < 3 + 0.02
    assert 12 < above[-1] - days[peak] < 30 + 0.02


def test_conditions_are_independent_of_the_time(order):
    place = np.arange(21) - 10
    for name in ("psf_fwhm", "noise", "zero_point"):
        table = np.array([getattr(fall, name) for _, fall in order])
        table = (table - table.mean()) / table.std()
        for shape in (place, place**2):
            shape = (shape - shape.mean()) / shape.std()
            assert abs((table * shape).mean()) < 4 / np.sqrt(table.size)


def test_features_without_order_are_right_on_one_object_of_each_pair(order):
    def nuisances(record):
        return nuisance_features(record, SURVEY)

    assert accuracy(nuisances, order, nuisance_baseline) == 0.5
    assert accuracy(lambda r: np.sort(light(r)), order, fit_predict) == 0.5
    assert accuracy(lambda r: r.flux[10].ravel(), order, fit_predict) == 0.5


def test_features_with_order_separate_the_classes(order):
    assert accuracy(light, order, fit_predict) > 0.9


def test_shuffled_frames_give_chance(order):
    generator = np.random.default_rng(0)
    right = accuracy(lambda r: generator.permutation(light(r)), order, fit_predict)
    assert abs(right - 0.5) < 3 * 0.5 / np.sqrt(PAIRS)


# -- host ------------------------------------------------------------------------------


def test_a_pair_of_hosts_has_the_same_conditions(host):
    for spiral, elliptical in host:
        assert (spiral.label, elliptical.label) == CLASSES["host"]
        for name in ("mjd", *PER_FRAME[1:], "group"):
            one, other = getattr(spiral, name), getattr(elliptical, name)
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_a_host_does_not_vary(host):
    """Chi square of the central light is that of noise and of the moving centre."""
    for record in host[0]:
        flux, error = aperture_light_curve(record.flux, record.bad_pixel, radius=6.0)
        assert abs(flux / np.median(flux) - 1).max() < 0.2 + 5 * error.max()


def test_any_frame_predicts_the_host_and_nuisances_do_not(host):
    def flattening(frame):
        return lambda record: second_moments(record.flux[frame])

    assert accuracy(flattening(0), host, fit_predict) > 0.9
    assert accuracy(flattening(10), host, fit_predict) > 0.9

    def schedule(record):
        return nuisance_features(record, SURVEY)[:18]  # not the corners: light is there

    assert accuracy(schedule, host, nuisance_baseline) == 0.5


def second_moments(image):
    """Long and short axis of the light above the noise, square pixels."""
    y, x = np.mgrid[: len(image), : len(image)]
    weight = np.clip(image - 3 * np.median(abs(image[:5])), 0, None)
    weight = weight * np.exp(-((x - 10.5) ** 2 + (y - 10.5) ** 2) / 50)
    x, y = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
    xx, xy, yy = (np.average(q, weights=weight) for q in (x * x, x * y, y * y))
    return np.linalg.eigvalsh([[xx, xy], [xy, yy]])


# -- both ------------------------------------------------------------------------------


def test_pairs_differ_and_the_same_number_is_the_same_pair(order):
    again = simulate_pair(0, seed=0, planted="order")[0]
    np.testing.assert_array_equal(again.flux, order[0][0].flux)
    other = simulate_pair(0, seed=1, planted="order")[0]
    assert not {other.object_id} & {record.object_id for p in order for record in p}
    names = {record.object_id for pair in order for record in pair}
    assert len(names) == 2 * PAIRS


def test_an_unknown_property_is_an_error():
    with pytest.raises(
        ValueError, match=r"planted has order, host\. Choose one of them"
    ):
        simulate_pair(0, seed=0, planted="colour")


# -- builder and reader ----------------------------------------------------------------


@pytest.mark.parametrize("planted", CLASSES)
def test_records_come_back_bit_for_bit(planted, tmp_path):
    config = builder.PlantedConfig(name=f"{planted}_of_8", planted=planted, pairs=8)
    built = builder.Planted(config=config, data_dir=tmp_path)
    built.download_and_prepare()
    made = [r for i in range(8) for r in simulate_pair(i, seed=0, planted=planted)]
    made = {record.object_id: record for record in made}
    examples = built.as_data_source(split="all")
    assert len(examples) == len(made) == 16
    for example in examples:
        record = record_from_example(example)
        for name in SeriesRecord._fields:
            one, other = getattr(record, name), getattr(made[record.object_id], name)
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_a_pair_lies_in_the_same_fold(order):
    group = np.array([record.group for pair in order for record in pair])
    rows = split_of(group, test_fold=0, num_folds=5, seed=0)
    for split in rows.values():
        assert (np.sort(split).reshape(-1, 2) % 2 == [0, 1]).all()


def test_raw_sequences_are_recognised_and_read(tmp_path, order):
    path, records = tmp_path / "pair.npz", order[0]
    np.savez(
        path,
        images=np.concatenate([record.flux for record in records]),
        mjd=np.concatenate([record.mjd for record in records]),
        offsets=[0, 21, 42],
        name=[record.object_id for record in records],
        label=[record.label for record in records],
    )
    assert builder.recognises(path)
    for reading, record in zip(builder.read(path), records, strict=True):
        np.testing.assert_array_equal(reading.record.flux, record.flux)
        assert reading.record.label == record.label
    np.savez(path, images=np.zeros((2, OTHER.image_size, OTHER.image_size)))
    assert not builder.recognises(path)


# -- the study -------------------------------------------------------------------------


@pytest.fixture
def series(order):
    how = {"normalisation": "asinh"}
    records = [fall for _, fall in order[:3]]
    how["statistics"] = fit_statistics(records, survey=SURVEY, **how)
    return make_example(records[0], max_epochs=21, **how)


def test_every_sequence_model_is_trained_with_its_own_arguments():
    models = set()
    for name in study.NETWORKS:
        for planted in study.surveys_of(name):
            spec = study.spec_of(name, planted, num_steps=10, seed=0)
            build_model(spec, runs.task_of(spec))
            models.add(spec.model.name)
    of_series = {
        name
        for name, model in MODELS.items()
        if get_type_hints(model.__call__)["inputs"] in (Series, LightCurve)
    }
    assert models == of_series


def test_shuffling_moves_frames_with_their_bands_and_leaves_the_times(series):
    series = series._replace(band=np.arange(21, dtype=np.int32))
    shuffled = study.shuffle_frames(series, np.random.default_rng(0))
    assert sorted(shuffled.band) == list(range(21)) != list(shuffled.band)
    np.testing.assert_array_equal(shuffled.image, series.image[shuffled.band])
    np.testing.assert_array_equal(shuffled.time, series.time)


def test_the_middle_frame_is_one_epoch(series):
    middle = study.keep_middle_frame(series)
    assert middle.epoch_mask.sum() == middle.epoch_mask[0] == 1
    np.testing.assert_array_equal(middle.image[0], series.image[10])
    assert middle.time[0] == 0
    assert all(a.shape == b.shape for a, b in zip(middle, series, strict=True))


def test_the_ends_of_intervals_decide_whether_a_network_passes():
    def passes(planted, unchanged, shuffled, middle, change):
        names = ("unchanged", "shuffled", "middle", "middle_minus_unchanged")
        ends = (unchanged, shuffled, middle, change)
        found = {n: Interval(sum(e) / 2, *e) for n, e in zip(names, ends, strict=True)}
        return study.passes(planted, found)

    chance, high, even = (0.48, 0.52), (0.9, 0.98), (-0.01, 0.01)
    assert passes("order", high, chance, chance, even)
    assert not passes("order", (0.65, 0.8), chance, chance, even)  # too low
    assert not passes("order", high, (0.51, 0.58), chance, even)  # above chance
    assert not passes("order", high, (0.40, 0.60), chance, even)  # too wide
    assert passes("host", high, high, high, even)
    assert not passes("host", high, high, high, (-0.08, -0.02))  # the middle is worse
    assert not passes("host", chance, chance, chance, even)  # nothing was learned
