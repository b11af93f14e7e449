"""Made light curves come back, through the real reader, as the catalogue has them."""

import numpy as np
import pytest
from test_ztf_periodic import stars, write_csv

from data_builders.ztf import ztf_periodic, ztf_periodic_sim
from jaxastro.photometry.period import find_period, shape_at
from jaxastro.representations import folded_and_map


@pytest.fixture
def made(tmp_path):
    rows = stars(*[{"Per": 0.5713, "Num_r": 200}] * 3, *[{"Type": "EA"}] * 2)
    catalogue = write_csv(tmp_path, rows)
    folder = tmp_path / "made"
    command = [f"--catalogue={catalogue}", f"--folder={folder}", "--stars=4"]
    assert ztf_periodic_sim.main(command) == 0
    readings = list(ztf_periodic.read(folder / ztf_periodic_sim.CATALOGUE))
    return catalogue, [reading.record for reading in readings], readings


def test_the_number_of_epochs_is_that_of_the_catalogue(made):
    _, records, readings = made
    assert sorted(record.label for record in records) == ["EA", "EA", "RR", "RR"]
    for record, reading in zip(records, readings, strict=True):
        assert len(record.mjd) <= 60 + (200 if record.label == "RR" else 70)
        assert len(record.mjd) > 100
        assert all("flagged bad" in note for note in reading.notes)


def test_period_and_shape_are_those_of_the_catalogue(made):
    _, records, _ = made
    for record in records:
        if record.label == "RR":
            seen = record.band == 1
            curve = record.mjd[seen], record.flux[seen], record.flux_error[seen]
            assert find_period(*curve).days == pytest.approx(0.5713, rel=1e-3)
            shape = shape_at(*curve, 0.5713)
            assert shape.r21 == pytest.approx(0.4, abs=0.05)
            assert shape.phi21 == pytest.approx(4.0, abs=0.2)


def test_heat_maps_can_be_plotted(made):
    _, records, _ = made
    how = {"normalisation": "fitted+share"}
    survey = ztf_periodic.SURVEY
    how["statistics"] = folded_and_map.fit_statistics(records, survey=survey, **how)
    for record in records:
        drawn = folded_and_map.make_example(record, max_epochs=500, **how)
        assert np.isfinite(drawn.folded).all()
        assert drawn.folded.any(axis=(0, 1)).all()
        assert drawn.map.any()


def test_a_real_catalogue_is_not_written_over(made, capsys):
    catalogue, *_ = made
    command = [f"--catalogue={catalogue}", f"--folder={catalogue.parent}"]
    assert ztf_periodic_sim.main(command) == 2
    assert "contains the catalogue. Simulated light curves" in capsys.readouterr().err
