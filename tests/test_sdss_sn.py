import json
from pathlib import Path

import numpy as np
import pytest
from support.sdss_frames import (
    CENTRE,
    MASTER,
    PIXEL,
    ROWS,
    SMALL,
    STARS,
    cut,
    frames_of,
    write_frame,
    write_survey,
)

from data_builders.engine.builder import REPORT_FILE
from data_builders.sdss import sdss_sn, sdss_sn_frames
from jaxastro.data.record import record_from_example


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    folder = write_survey(tmp_path_factory.mktemp("sdss"))
    assert cut(folder).damaged == {}
    return folder


@pytest.fixture(scope="module")
def records(survey):
    readings = {r.object_id: r for r in sdss_sn.read(survey)}
    assert list(readings) == ["101", "102", "103", "104", "105"]
    return readings


def light_of(record):
    return np.where(record.bad_pixel, 0, record.flux).sum(axis=(1, 2))


def test_a_star_comes_back_with_its_flux_in_the_middle(records):
    for name in ("101", "102"):
        record = records[name].record
        # A nanomaggy is 3.631 microjansky; the neighbour's wings are far away.
        np.testing.assert_allclose(light_of(record), STARS[name][2] * 3.631, rtol=2e-3)
        weight = record.flux / light_of(record)[:, None, None]
        y, x = np.mgrid[:32, :32]
        for axis in (y, x):
            assert (abs((weight * axis).sum(axis=(1, 2)) - 15.5) <= 0.51).all()


def test_every_band_has_its_own_time(records):
    record = records["101"].record
    assert sorted(record.band.tolist()) == sorted(2 * [0, 1, 2, 3, 4])
    first = record.mjd < 53690
    # The bands cross the sky in the order r i u z g, 71.7 s apart.
    assert record.band[first].tolist() == [2, 3, 0, 4, 1]
    steps = np.diff(record.mjd[first]) * 86400
    np.testing.assert_allclose(steps, 71.7, atol=0.2)
    # Row 109 of 200: read 109 * 26.3 ms after row 0, half an exposure after its middle.
    row = 100 + 0.001 / PIXEL
    expected = 53650.25 + (row * 0.026322 - 53.907456 / 2) / 86400
    assert record.mjd[first][0] == pytest.approx(expected, abs=2e-7)
    assert record.mjd.dtype == np.float64


def test_seeing_gain_and_zero_point_are_those_of_band_and_chip(records):
    record = records["101"].record
    r = record.band == 2
    np.testing.assert_allclose(record.gain[r], 4.72)  # column 3
    np.testing.assert_allclose(record.psf_fwhm[r], 1.5)
    # 0.005 to 0.0055 nanomaggies a count over the columns; the object is at the middle.
    zero_point = 22.5 - 2.5 * np.log10(0.005 * 1.05)
    np.testing.assert_allclose(record.zero_point[r], zero_point, atol=0.003)


def test_noise_is_the_scatter_of_an_empty_pixel(tmp_path):
    """Simulated photon counts of the sky, against the formula of the data model."""
    frame = frames_of(ROWS[0])[2]
    sky, per_count, gain, dark = 120.0, 0.005, 4.72, 1.3225
    path = write_frame(tmp_path, frame, CENTRE, shape=SMALL, sky=sky)
    (stamp,) = sdss_sn_frames.cut(path, frame, [10.001], [0.05], size=32)
    rng = np.random.default_rng(3)
    # Row 109 of 200 of a sky that grows by half; column 120 of a calibration by 10 %.
    here = sky * (1 + 0.5 * 109 / 200)
    counts = rng.poisson(here * gain, 200_000) / gain
    counts = counts + rng.normal(0, np.sqrt(dark), 200_000) - here
    scatter = counts.std() * per_count * 1.05 * 3.631
    assert stamp.noise == pytest.approx(scatter, rel=0.01)


def test_the_chips_are_those_of_the_data_model():
    def camera(run, camcol, band):
        frame = frames_of(ROWS[0])[0]._replace(run=run, camcol=camcol, band=band)
        return sdss_sn_frames._camera(frame)

    assert camera(3000, 1, "u") == (1.62, 9.61)
    assert camera(1000, 2, "u") == (1.595, 12.6025)
    assert camera(1200, 2, "u") == (1.825, 12.6025)
    assert camera(1400, 4, "z") == (4.775, 9.61)
    assert camera(1600, 4, "z") == (4.775, 12.6025)
    assert camera(1400, 2, "i") == (6.565, 5.76)
    assert camera(3000, 6, "r") == (4.895, 0.9025)


def test_pixels_beyond_the_frame_are_bad(records):
    record = records["103"].record  # 6 pixels from the frame's edge
    early = record.mjd < 53690
    assert early.sum() == 5
    outside = record.bad_pixel[early]
    assert outside.any(axis=(1, 2)).all()
    assert not outside.all(axis=(1, 2)).any()
    assert (outside[:, :, 15:17] == outside[:, :, 15:16]).all()  # whole rows
    assert (record.flux[record.bad_pixel] == 0).all()
    assert not records["101"].record.bad_pixel.any()


def test_labels_redshifts_and_groups_reach_the_record(records):
    record = records["101"].record
    assert (record.label, record.label_source) == ("SNIa", "spectroscopic")
    assert record.redshift == 0.2
    second = records["102"].record
    assert (second.label, second.label_source) == ("SNOther", "photometric")
    assert np.isnan(second.redshift)
    assert record.group != second.group
    assert records["104"].record is None
    assert "doubtful Ia" in records["104"].notes[0]
    assert records["105"].record is None
    assert "0 of the 0 frames that contain it" in records["105"].notes[0]


def test_labels_change_nothing_but_labels(records, tmp_path):
    lines = MASTER.splitlines()
    for i, label in ((1, "Unknown"), (2, "AGN"), (3, "SNIa"), (4, "Variable")):
        words = lines[i].split()
        lines[i] = " ".join((*words[:4], label, words[5]))
    folder = write_survey(tmp_path, master="\n".join(lines))
    cut(folder)
    for reading in sdss_sn.read(folder):
        if reading.object_id in ("101", "102", "103"):
            before = records[reading.object_id].record
            after = reading.record._replace(
                label=before.label, label_source=before.label_source
            )
            for one, other in zip(before, after, strict=True):
                np.testing.assert_array_equal(one, other)


def build(preset, manual_dir, data_dir):
    import tensorflow_datasets as tfds

    builder = tfds.builder(f"sdss_sn/{preset}", data_dir=data_dir)
    config = tfds.download.DownloadConfig(manual_dir=str(manual_dir))
    builder.download_and_prepare(download_config=config)
    records = map(record_from_example, builder.as_data_source("all"))
    return builder, {record.object_id: record for record in records}


def test_the_data_set_holds_what_was_read(survey, records, tmp_path):
    builder, built = build("all_nights", survey, tmp_path)
    assert sorted(built) == ["101", "102", "103"]
    for name, record in built.items():
        for one, other in zip(record, records[name].record, strict=True):
            np.testing.assert_array_equal(one, other)
    report = json.loads((Path(builder.data_dir) / REPORT_FILE).read_text())
    assert report["objects_read"] == 5
    assert list(report["set_aside"]) == ["104", "105"]


def test_photometric_nights_leave_the_others_out(survey, tmp_path):
    _, built = build("photometric_nights", survey, tmp_path)
    assert all((record.mjd < 53690).all() for record in built.values())
    assert len(built["101"].mjd) == 5


def test_missing_stamps_are_an_error(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXASTRO_DATA", raising=False)
    (tmp_path / "raw").mkdir()
    with pytest.raises(FileNotFoundError, match=r"data_builders\.sdss\.sdss_sn_cut"):
        build("all_nights", tmp_path / "raw", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"has no cutouts\.db"):
        next(sdss_sn.read(tmp_path))
    (tmp_path / "cutouts.db").write_text("something else entirely" * 99)
    (tmp_path / "master_data.txt").write_text(MASTER)
    with pytest.raises(OSError, match="remove the file and cut again"):
        next(sdss_sn.read(tmp_path))


def test_a_folder_of_cutouts_or_fields_is_recognised(survey, tmp_path):
    assert sdss_sn.recognises(survey)
    assert not sdss_sn.recognises(tmp_path)
    assert not sdss_sn.recognises(survey / "cutouts.db")
    assert not sdss_sn.recognises(tmp_path / "nowhere")
