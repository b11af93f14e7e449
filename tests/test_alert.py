"""Records of alerts: sorted, padded, and checked."""

import numpy as np
import pytest

from jaxastro.data.alert import DETECTION, FORCED, LIMIT, Alert, HistoryRow
from jaxastro.data.alert import make_alert_record as make
from jaxastro.errors import RecordError
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["ztf_alerts"]._replace(
    image_size=0, columns=(("rb", ""), ("age", "d"))
)
NO_STAMPS = (None, None, None)


def alert(alert_id=1, mjd=59000.0, stamps=NO_STAMPS, **metadata):
    return Alert(alert_id, mjd, "r", stamps, metadata)


def test_alerts_and_history_are_sorted_by_time():
    rows = [HistoryRow(day, "g", DETECTION, day, 0.1) for day in (3.0, 1.0, 2.0)]
    late, early = alert(2, 59002.0, rb=0.2), alert(1, 59001.0, rb=0.1)
    record, _ = make("a", SURVEY, alerts=[late, early], history=rows)
    np.testing.assert_array_equal(record.alert_id, [1, 2])
    np.testing.assert_array_equal(record.mjd, [59001, 59002])
    np.testing.assert_array_equal(record.metadata[:, 0], [0.1, 0.2])
    assert np.isnan(record.metadata[:, 1]).all()
    np.testing.assert_array_equal(record.history_mjd, [1, 2, 3])
    np.testing.assert_array_equal(record.history_flux, np.float32([1, 2, 3]))


def test_stamps_are_centred_and_padding_is_bad():
    stamps = np.full((3, 4), 7.0), np.ones((5, 5)), None
    record, notes = make("a", SURVEY, alerts=[alert(stamps=stamps)])
    assert record.stamp.shape == (1, 5, 5, 3)
    # Pixel n // 2 on pixel N // 2: rows 1 to 3, columns 0 to 3.
    inside = np.zeros((5, 5), bool)
    inside[1:4, 0:4] = True
    np.testing.assert_array_equal(record.bad_pixel[0, ..., 0], ~inside)
    np.testing.assert_array_equal(record.stamp[0, ..., 0], np.where(inside, 7, 0))
    assert not record.bad_pixel[0, ..., 1].any()
    assert record.bad_pixel[0, ..., 2].all()
    assert notes == ("1 stamps are missing: masked.",)


def test_a_pixel_that_is_not_finite_is_bad_and_zero():
    stamp = np.ones((3, 3))
    stamp[0, 1], stamp[2, 2] = np.nan, np.inf
    record, _ = make("a", SURVEY, alerts=[alert(stamps=(stamp, None, None))])
    assert record.stamp[0, 0, 1, 0] == record.stamp[0, 2, 2, 0] == 0
    assert record.bad_pixel[0, ..., 0].sum() == 2


def test_of_repeated_alerts_the_one_with_most_stamps_is_kept():
    full = alert(stamps=(np.ones((3, 3)),) * 3)
    for alerts in ([alert(), full], [full, alert()]):
        record, notes = make("a", SURVEY, alerts=alerts)
        assert record.stamp.shape == (1, 3, 3, 3)
        assert notes == ("1 alerts came more than once: dropped.",)


def test_history_rows_are_unique_and_bad_ones_are_counted():
    limit = HistoryRow(1.0, "g", LIMIT, 5.0, 1.0)
    unsure = HistoryRow(1.0, "g", FORCED, 5.0, np.nan)
    nothing = HistoryRow(2.0, "g", FORCED, np.nan, 1.0)
    rows = [limit, unsure, nothing, limit, unsure]
    record, notes = make("a", SURVEY, alerts=[alert()], history=rows)
    np.testing.assert_array_equal(record.history_kind, [LIMIT, FORCED])
    np.testing.assert_array_equal(record.history_flux_error, [1, np.nan])
    assert notes[1:] == ("1 history rows have no number: dropped.",)


def test_stamps_of_a_survey_with_one_size_have_it():
    sized = SURVEY._replace(image_size=7)
    record, _ = make("a", sized, alerts=[alert(stamps=(np.ones((3, 3)), None, None))])
    assert record.stamp.shape == (1, 7, 7, 3)
    with pytest.raises(RecordError, match=r"Object a: a stamp of shape \(9, 3\)"):
        make("a", sized, alerts=[alert(stamps=(np.ones((9, 3)), None, None))])


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        ([], "Object a: no alerts. A record needs at least one"),
        ([alert(mjd=np.nan)], "Object a, alert 1: its time is nan. A number of days"),
        ([alert(magpsf=1.0)], "unknown column 'magpsf'. ztf_alerts has rb, age"),
        ([alert()._replace(band="z")], "unknown band 'z'. ztf_alerts has g, r, i"),
    ],
)
def test_a_wrong_alert_is_an_error_with_a_message(alerts, message):
    with pytest.raises(RecordError, match=message):
        make("a", SURVEY, alerts=alerts)
