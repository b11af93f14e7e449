"""Early classification uses no later epoch: by epochs, and by days of detection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import runs

from configs import supernnova
from jaxastro.data.light_curve import make_light_curve_record
from jaxastro.data.record import first_epochs
from jaxastro.data.series import make_series_record
from jaxastro.evaluation.detection import first_detection
from jaxastro.runs.dataset import open_dataset
from jaxastro.runs.early_classification import epochs_after_days, predict_early
from jaxastro.runs.input_pipeline import predict_rows
from jaxastro.runs.predictor import Output
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_sn_sim"]


# -- the first detection ---------------------------------------------------------------


def curve_of(flux, error, band):
    days = 50_000.0 + np.arange(len(flux))
    columns = {"flux": flux, "flux_error": error, "mjd": days, "band": band}
    return make_light_curve_record("one", SURVEY, **columns)[0]


def obvious(record):
    """The same, epoch after epoch from the start."""
    flux, error = np.float64(record.flux), np.float64(record.flux_error)
    for t in range(len(flux)):
        before = np.flatnonzero(record.band[:t] == record.band[t])
        if not len(before):
            continue
        of_median = np.pi / 2 * (error[before] ** 2).mean() / len(before)
        change = abs(flux[t] - np.median(flux[before]))
        if change >= 5 * np.sqrt(error[t] ** 2 + of_median):
            return record.mjd[t]
    return np.inf


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_a_detection_is_that_of_an_obvious_loop_and_sees_nothing_later(seed):
    generator = np.random.default_rng(seed)
    count = 12
    flux = 40 + generator.normal(size=count) + 9 * (generator.random(count) < 0.2)
    record = curve_of(
        flux, generator.uniform(0.5, 2, count), generator.integers(0, 2, count)
    )
    found = first_detection(record, SURVEY)
    assert found == obvious(record)
    later = record.mjd > found
    changed = np.where(later, generator.normal(size=count) * 1e3, record.flux)
    other = record._replace(flux=np.float32(changed), label="AGN")
    assert first_detection(other, SURVEY) == found


def test_a_steady_source_is_no_detection_however_bright():
    noise = np.random.default_rng(0).normal(size=40)
    steady = curve_of(1000 + noise, np.ones(40), np.arange(40) % 2)
    assert first_detection(steady, SURVEY) == np.inf
    risen = steady._replace(flux=steady.flux + 20 * (np.arange(40) >= 30))
    assert first_detection(risen, SURVEY) == risen.mjd[30]
    assert first_detection(first_epochs(risen, 30), SURVEY) == np.inf
    assert first_detection(first_epochs(risen, 0), SURVEY) == np.inf


def test_a_star_that_appears_in_images_is_detected_then():
    generator = np.random.default_rng(1)
    y, x = np.mgrid[:32, :32] - 15.5
    host, star = 50 * np.exp(-np.hypot(y, x) / 4), np.exp(-(y**2 + x**2) / 8)
    flux = generator.normal(size=(12, 32, 32)) + host
    flux[8:] += 30 * star
    columns = {"mjd": 50_000.0 + np.arange(12), "band": np.arange(12) % 2}
    record, _ = make_series_record("one", SURVEY, flux=flux, **columns)
    assert first_detection(record, SURVEY) == record.mjd[8]
    assert first_detection(first_epochs(record, 8), SURVEY) == np.inf
    blind = record._replace(bad_pixel=np.ones_like(record.bad_pixel))
    assert first_detection(blind, SURVEY) == np.inf
    small = {n: getattr(record, n)[:, 8:24, 8:24] for n in ("flux", "bad_pixel")}
    assert first_detection(record._replace(**small), SURVEY) == record.mjd[8]
    tiny = {n: getattr(record, n)[:, 13:19, 13:19] for n in ("flux", "bad_pixel")}
    assert first_detection(record._replace(**tiny), SURVEY) == np.inf


# -- predictions of a state ------------------------------------------------------------


@pytest.fixture(scope="module")
def classifier(data_dir):
    """A dataset, a predictor and a state whose network samples its weights."""
    args = {"model.args.form": "variational", "model.args.num_draws": 3}
    spec = runs.smoke(supernnova.get_config, **args)
    dataset = open_dataset(spec, data_dir=data_dir)
    return dataset, *runs.random_classifier(spec, dataset)


def test_early_predictions_are_those_of_records_that_end_early(classifier):
    dataset, predictor, state = classifier
    rows = dataset.rows["train"][:20]
    whole = predict_rows(predictor, state, dataset, rows)
    assert whole.spread.shape == whole.probability.shape
    total = dataset.index.num_epochs[rows]
    counts = np.minimum([[1], [3], [3], [total.max()]], total)
    found = predict_early(*classifier, rows=rows, whole=whole, counts=counts)
    for count, prediction in zip(counts, found, strict=True):
        cut = [
            first_epochs(dataset.stored[r], n) for r, n in zip(rows, count, strict=True)
        ]
        expected = predict_rows(
            predictor, state, dataset._replace(stored=cut), np.arange(len(rows))
        )
        for name in Output._fields:
            ours, theirs = getattr(prediction, name), getattr(expected, name)
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert abs(found[0].probability - whole.probability).max() > 1e-4
    np.testing.assert_array_equal(found[-1].spread, whole.spread)


def test_what_happens_after_a_day_cannot_change_the_prediction_of_it(classifier):
    dataset, predictor, state = classifier
    assert (
        dataset.spec.representation.normalisation == "asinh"
    )  # that sees no later epoch
    rows = dataset.rows["train"]
    before = epochs_after_days(dataset, rows, predictor.task.survey)
    assert len(before.detected) > 0
    assert before.days.tolist() == [2**k for k in range(len(before.days))]
    assert (np.diff(before.counts, axis=0) >= 0).all()
    last = 4  # of the evaluations that must not change
    survey = predictor.task.survey
    changed = list(dataset.stored)
    for row in rows[before.detected]:
        record = changed[row]
        end = first_detection(record, survey) + before.days[last]
        later = record.mjd > end
        changed[row] = record._replace(
            flux=np.where(later, 7 - 3 * record.flux, record.flux)
        )
    other = dataset._replace(stored=changed)
    after = epochs_after_days(other, rows, predictor.task.survey)
    np.testing.assert_array_equal(after.detected, before.detected)

    def early_outputs(dataset, days):
        chosen = rows[days.detected]
        whole = predict_rows(predictor, state, dataset, chosen)
        return predict_early(
            dataset, predictor, state, rows=chosen, whole=whole, counts=days.counts
        )

    ours, theirs = early_outputs(dataset, before), early_outputs(other, after)
    for k in range(last + 1):
        np.testing.assert_allclose(
            ours[k].probability, theirs[k].probability, atol=1e-5
        )
    assert abs(ours[-1].probability - theirs[-1].probability).max() > 1e-3
