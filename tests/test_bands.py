"""Selection of bands, and removal of random epochs."""

import itertools

import numpy as np
import pytest
from support.runs import smoke

from jaxastro.data.bands import record_in_bands, survey_in_bands
from jaxastro.data.record import Reading, without_random_epochs
from jaxastro.data.series import make_series_record
from jaxastro.errors import RecordError
from jaxastro.runs.checks import check_same_inputs
from jaxastro.runs.record_input import readings_of
from jaxastro.runs.task import make_task
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["sdss_sn_sim"]


def made(band, name="one"):
    epochs = len(band)
    flux = np.arange(epochs)[:, None, None] + np.zeros((epochs, 32, 32))
    record, _ = make_series_record(
        name, SURVEY, flux=flux, mjd=np.arange(epochs), band=band
    )
    return record


def test_selected_epochs_have_new_band_numbers():
    seen = record_in_bands(made([0, 1, 2, 1, 4]), ("z", "g"), SURVEY)
    assert seen.mjd.tolist() == [1, 3, 4]
    assert seen.band.tolist() == [1, 1, 0]
    assert seen.flux[:, 0, 0].tolist() == [1, 3, 4]
    facts = survey_in_bands(SURVEY, ("z", "g"))
    assert facts.bands == ("z", "g")
    assert facts.wavelength == (SURVEY.wavelength[4], SURVEY.wavelength[1])


def test_no_selected_epoch_and_an_unknown_band_are_errors():
    with pytest.raises(
        RecordError, match=r"Object one: none of its 2 epochs is in g\."
    ):
        record_in_bands(made([0, 2]), ("g",), SURVEY)
    with pytest.raises(ValueError, match=r"unknown band 'Y'"):
        survey_in_bands(SURVEY, ("Y",))


def test_new_objects_without_an_epoch_in_the_bands_are_set_aside(monkeypatch):
    bands_used = []

    def read(raw, survey=SURVEY):
        bands_used.append(survey.bands)
        for name, band in (("one", [0, 1]), ("two", [0, 2])):
            yield Reading(name, made(band, name), ())

    monkeypatch.setattr("data_builders.sdss.sdss_sn_sim.read", read)
    for survey in (SURVEY, SURVEY._replace(name="own")):
        spec = smoke(**{"selection.bands": ("g",)})
        task = make_task(spec, survey, spec.classes, statistics={})
        one, two = readings_of("raw", spec, task, reads_catalogue=False)
        assert one.record.band.tolist() == [0, 1]
        assert two.record is None
        assert two.notes[0].startswith("Object two: none of its 2 epochs is in g.")
    assert bands_used == [SURVEY.bands, SURVEY.bands]


def test_a_run_of_other_bands_cannot_be_continued(tmp_path):
    spec = smoke(**{"selection.bands": ("g",), "init_from": str(tmp_path)})
    with pytest.raises(ValueError, match=r"bands \(\), this run has \('g',\)\."):
        check_same_inputs(spec, SURVEY, smoke(), SURVEY)


def test_a_larger_share_removes_all_epochs_of_a_smaller_one():
    record, left = made(np.zeros(400, int)), []
    for share in (0.0, 0.3, 0.6, 0.99, 1.0):
        seen = set(without_random_epochs(record, share).mjd.tolist())
        left.append(seen)
        assert abs(len(seen) - 400 * (1 - share)) < 60
    assert all(late <= early for early, late in itertools.pairwise(left))
    assert len(left[0]) == 400
    assert len(left[-1]) == 1


def test_removed_epochs_depend_on_the_object():
    one, two = (
        without_random_epochs(made(np.zeros(40, int), n), 0.5) for n in ("one", "two")
    )
    assert one.mjd.tolist() != two.mjd.tolist()
