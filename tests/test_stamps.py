"""Inputs of alert models: normalised stamps, scaled metadata, crops and columns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.alerts import SURVEY, make_record

from jaxastro.data.columns import record_with_columns, survey_with_columns
from jaxastro.data.crop import record_cropped, survey_cropped
from jaxastro.data.record import first_epochs
from jaxastro.representations import stamps

KINDS = pytest.mark.parametrize("normalisation", stamps.NORMALISATIONS)


def example(record, normalisation="min_max", epochs=4, statistics=None):
    how = {"normalisation": normalisation}
    if statistics is None:
        statistics = stamps.fit_statistics([make_record()], survey=SURVEY, **how)
    return stamps.make_example(record, max_epochs=epochs, statistics=statistics, **how)


@KINDS
def test_an_alert_does_not_depend_on_other_alerts(normalisation):
    record = make_record(5)
    whole = example(record, normalisation, 5)
    for count in range(1, 6):
        some = example(first_epochs(record, count), normalisation, 5)
        for name in whole.OF_EPOCHS:
            np.testing.assert_array_equal(
                getattr(some, name)[:count], getattr(whole, name)[:count]
            )
            assert not getattr(some, name)[count:].any()
    np.testing.assert_array_equal(example(record, normalisation, 2).epoch_mask, [1, 1])


@KINDS
@pytest.mark.parametrize("wild", [np.nan, np.inf, 1e30])
def test_bad_missing_and_constant_stamps_give_finite_values(normalisation, wild):
    record = make_record(4)
    stamp, bad = record.stamp.copy(), record.bad_pixel.copy()
    stamp[0, :5], bad[0, :5] = wild, True
    stamp[1, ..., 1], bad[1, ..., 1] = 0, True  # the template is missing
    stamp[2, ..., 2] = 7.0
    spoilt = record._replace(stamp=stamp, bad_pixel=bad)
    found, whole = example(spoilt, normalisation), example(record, normalisation)
    assert np.isfinite(found.stamp).all()
    assert not found.stamp[bad].any()
    # Values of bad pixels have no effect on the scale.
    other = spoilt._replace(stamp=np.where(bad, -3.0, stamp).astype(np.float32))
    np.testing.assert_array_equal(found.stamp, example(other, normalisation).stamp)
    np.testing.assert_array_equal(found.stamp[3], whole.stamp[3])


def test_min_max_equals_a_loop():
    record = make_record(2, seed=3)
    found = example(record, "min_max", 2).stamp
    for t in range(2):
        for channel in range(3):
            image = record.stamp[t, ..., channel].astype(float)
            image = image - image.min()
            np.testing.assert_allclose(
                found[t, ..., channel], image / image.max(), atol=1e-6
            )
    assert found.min() == 0
    assert found.max() == 1


def test_l2_gives_norm_one_and_asinh_keeps_the_order_of_fluxes():
    record = make_record(2)
    found = example(record, "l2", 2).stamp
    np.testing.assert_allclose((found**2).sum((1, 2)), 1, rtol=1e-5)
    difference = record.stamp[..., 2]
    compressed = example(record, "asinh", 2).stamp[..., 2]
    order = np.argsort(difference.ravel())
    assert (np.diff(compressed.ravel()[order]) >= 0).all()
    brighter = record._replace(stamp=record.stamp * 10)
    assert example(brighter, "asinh", 2).stamp[..., 2].max() > compressed.max() + 1


def test_metadata_are_ranks_and_unknown_values_are_masked():
    record = make_record(3)
    metadata = record.metadata.copy()
    metadata[1, 4] = np.nan
    found = example(record._replace(metadata=metadata), epochs=3)
    assert not found.metadata_mask[1, 4]
    assert found.metadata[1, 4] == 0
    assert found.metadata_mask.sum() == found.metadata_mask.size - 1
    assert abs(found.metadata).max() <= np.float32(np.sqrt(3))


def test_history_ends_at_the_last_selected_alert():
    record = make_record(4)
    assert len(record.history_mjd) == 4
    for count in (1, 3):
        some = first_epochs(record, count)
        assert len(some.history_mjd) == len(some.history_flux) == count
        assert some.history_mjd.max() < some.mjd.max()


# -- crops and columns ---------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 63), st.integers(0, 100))
def test_the_object_stays_at_the_centre_of_a_crop(side, seed):
    record = make_record(1, seed=seed)
    cut = record_cropped(record, side, "alerts")
    assert cut.stamp.shape == (1, side, side, 3) == cut.bad_pixel.shape
    assert cut.stamp[0, side // 2, side // 2, 0] == record.stamp[0, 31, 31, 0]
    twice = record_cropped(cut, 1, "alerts")
    assert twice.stamp[0, 0, 0, 0] == record.stamp[0, 31, 31, 0]
    assert survey_cropped(SURVEY, side).image_size == side


def test_pixels_outside_the_crop_do_not_affect_the_scale():
    record = make_record(1)
    stamp = record.stamp.copy()
    stamp[0, 0, 0] = 1e6
    pair = (
        record_cropped(r, 21, "alerts") for r in (record, record._replace(stamp=stamp))
    )
    np.testing.assert_array_equal(*(example(r).stamp for r in pair))


def test_columns_are_selected_by_name_in_the_requested_order():
    record, names = make_record(2), ("fwhm", "magpsf")
    survey = survey_with_columns(SURVEY, names)
    assert survey.columns == (("fwhm", "pix"), ("magpsf", "mag"))
    known = [name for name, _ in SURVEY.columns]
    found = record_with_columns(record, names, SURVEY).metadata
    for place, name in enumerate(names):
        np.testing.assert_array_equal(
            found[:, place], record.metadata[:, known.index(name)]
        )


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: survey_with_columns(SURVEY, ("magpfs",)), "no.*magpfs|'magpfs'"),
        (lambda: survey_with_columns(SURVEY, ("fwhm", "fwhm")), "twice"),
        (lambda: survey_cropped(SURVEY, 64), "63x63"),
        (lambda: survey_cropped(SURVEY._replace(kind="light_curve"), 9), "no square"),
        (lambda: example(make_record(), "zscale"), "min_max, l2, asinh"),
    ],
)
def test_unknown_columns_and_crops_are_errors(function, words):
    with pytest.raises(ValueError, match=words):
        function()
