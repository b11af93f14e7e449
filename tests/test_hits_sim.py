import os
from pathlib import Path

import numpy as np
import pytest

from data_builders.hits import hits, hits_sim
from data_builders.hits.hits_log import field_logs, read_log
from jaxastro.data.series import make_series_record
from jaxastro.simulation import conditions, observing, scene, stars
from jaxastro.simulation.classes import CLASSES, draw_candidates
from jaxastro.simulation.sequence import simulate_sequence
from jaxastro.surveys import SURVEYS

SURVEY = SURVEYS["hits_sim"]
real_data = pytest.mark.skipif(
    "JAXASTRO_DATA" not in os.environ,
    reason="JAXASTRO_DATA is not set: no real observing log to read",
)


@pytest.fixture
def log():
    """Thirty frames of one field over ten nights."""
    count = 30
    night, visit = np.divmod(np.arange(count), 3)
    rng = np.random.default_rng(0)
    return observing.ObservingLog(
        mjd=57070.1 + night + 0.07 * visit,
        band=np.zeros(count, np.int32),
        visit=np.arange(count),
        priority=np.arange(count),
        psf_fwhm=rng.uniform(0.9, 1.8, count),
        sky=rng.uniform(90, 200, count),
        gain=np.full(count, 4.1),
        zero_point=rng.normal(30, 0.05, count),
        read_noise=np.full(count, 7.0),
    )


def simulate(truth, log, number=0, **camera):
    camera = hits_sim.CAMERA._replace(**camera)
    return simulate_sequence(truth, camera, log, number=number, seed=3)


@pytest.mark.parametrize("truth", CLASSES)
def test_every_class_has_raw_counts_with_sky(truth, log):
    record = simulate(truth, log)
    assert record.label == record.truth == truth
    assert record.flux.shape[1:] == (21, 21)
    assert np.isfinite(record.flux).all()
    edge = np.median(record.flux[:, :2].reshape(len(record.mjd), -1), axis=1)
    sky = log.sky[np.isin(log.mjd, record.mjd)]
    assert np.median(edge / sky) == pytest.approx(1, abs=0.15)


def test_observing_conditions_are_independent_of_the_class(log):
    records = [simulate(truth, log, number=5) for truth in CLASSES]
    for record in records[1:]:
        for name in ("mjd", "band", "psf_fwhm", "gain", "zero_point", "noise"):
            same = np.array_equal(getattr(record, name), getattr(records[0], name))
            assert same, (record.truth, name)
        assert record.object_id == records[0].object_id


def test_the_same_number_and_seed_give_the_same_pixels(log):
    first, again = (simulate("EB", log, number=9) for _ in range(2))
    assert np.array_equal(first.flux, again.flux)
    assert not np.array_equal(first.flux[:5], simulate("EB", log, 10).flux[:5])


def test_an_asteroid_is_there_in_one_frame(log):
    still = {"cosmic_rays": 0.0, "neighbours": 0.0, "frame_loss": 0.0}
    record = simulate("Asteroid", log, **still)
    above = record.flux - np.median(record.flux, axis=(1, 2))[:, None, None]
    light = above[:, 7:14, 7:14].sum(axis=(1, 2)) / (7 * record.noise)
    assert (light > 5).sum() == 1


def test_supernovae_rise_and_constant_stars_do_not_change(log):
    rng = np.random.default_rng(0)
    wavelength = np.full(len(log.mjd), 4730.0)
    for truth in ("SNIa", "SNIbc", "SNII"):
        for number in range(5):
            record = simulate(truth, log, number, neighbours=0.0, cosmic_rays=0.0)
            assert np.isfinite(record.redshift)
    drawn = draw_candidates(
        "NonVariable", rng, log.mjd, wavelength, count=7, limits=(17, 20)
    )
    assert np.ptp(drawn.flux, axis=1).max() == 0


@pytest.mark.parametrize("truth", ["RRLyrae", "EB", "Cepheid"])
def test_periodic_stars_repeat_after_their_period(truth):
    draw = {
        "RRLyrae": "rr_lyrae",
        "EB": "eclipsing_binaries",
        "Cepheid": "cepheids",
    }[truth]
    time = np.linspace(0, 3, 50)
    star = getattr(stars, draw)(np.random.default_rng(1), time, count=20)
    for k in range(20):
        later = np.concatenate([time, time + star.period[k]])
        both = getattr(stars, draw)(np.random.default_rng(1), later, count=20).dimming
        assert np.allclose(both[k, :50], both[k, 50:], atol=1e-9)


def test_an_rr_lyrae_of_type_ab_rises_faster_than_it_falls():
    time = np.linspace(0, 5, 4000)
    star = stars.rr_lyrae(np.random.default_rng(0), time, count=60)
    for k in np.flatnonzero(star.kind == "RRab"):
        assert (np.diff(star.dimming[k]) < 0).mean() < 0.45  # brightening


def test_an_unknown_class_is_answered_with_those_there_are(log):
    with pytest.raises(ValueError, match=r"No class named 'Quasar'.*RRLyrae"):
        draw_candidates(
            "Quasar",
            np.random.default_rng(0),
            log.mjd,
            log.mjd,
            count=1,
            limits=(0, 1),
        )


# -- conditions ------------------------------------------------------------------------


def test_seeing_and_transparency_are_measured_on_stars(log):
    flux = 10 ** (-0.4 * (17.0 - 23.9)) * np.ones(len(log.mjd))
    clear = np.random.default_rng(2).uniform(0.5, 1.1, len(log.mjd))
    image = scene.render(
        scene.point((0.1, -0.1), flux * clear),
        psf_fwhm=log.psf_fwhm,
        centre=np.full((len(log.mjd), 2), 10.0),
        pixel_scale=SURVEY.pixel_scale,
        size=21,
    )
    adu = observing.expose(image, log, key=1)
    record, _ = make_series_record("star", SURVEY, flux=adu, mjd=log.mjd, band=log.band)
    seeing, light = conditions.measure_star(
        record, pixel_scale=SURVEY.pixel_scale, border=3
    )
    assert np.allclose(seeing, log.psf_fwhm, rtol=0.05)
    assert np.allclose(light, clear / np.median(clear), rtol=0.05)


def test_gain_and_read_noise_follow_from_the_log():
    sky = np.linspace(60, 2000, 50)
    noise = np.sqrt(sky / 4.1 + (7.0 / 4.1) ** 2)
    blank = np.zeros(50)
    log = conditions.Exposures(blank, blank, blank, blank, sky, noise)
    assert conditions.camera_constants(log) == pytest.approx((4.1, 7.0))
    with pytest.raises(ValueError, match="Noise does not rise with the sky"):
        conditions.camera_constants(log._replace(noise=noise[::-1]))


def test_a_line_of_the_log_that_is_no_frame_is_named(tmp_path):
    path = tmp_path / "log.txt"
    frame = "a.fits 57070.25 g DECam c0001 4720.0 1520.0 1.14 86.0 105.5 5.3\n"
    path.write_text(frame + frame.replace(" g ", " r "))
    log = read_log(path, SURVEY)
    assert [float(column[0]) for column in log] == [57070.25, 0, 1.14, 86, 105.5, 5.3]
    assert len(log.mjd) == 1
    path.write_text(frame + "c4d_150204 no numbers here\n")
    with pytest.raises(ValueError, match=r"log\.txt, line 2: 'c4d_150204 no"):
        read_log(path, SURVEY)
    path.write_text(frame.replace(" g ", " r "))
    with pytest.raises(ValueError, match="no frame in g"):
        read_log(path, SURVEY)


@real_data
def test_the_real_log_holds_every_frame_of_the_real_stamps():
    folder = Path(os.environ["JAXASTRO_DATA"]) / "hits"
    log = read_log(folder / "field_cond.txt", SURVEY)
    assert len(log.mjd) == 1455
    gain, read_noise = conditions.camera_constants(log)
    assert 3.9 < gain < 4.4
    assert 6 < read_noise < 8
    readings = hits.read(hits.find_hits(None))
    records = [r.record for r in readings if r.record is not None]
    found = [conditions.nearest_frame(log, record.mjd) >= 0 for record in records]
    lost = sum(int((~one).sum()) for one in found)
    assert lost == 83  # of nights of which the log has none; see in hits_sim.md
    logs = field_logs(log, records, pixel_scale=0.27, seed=0)
    assert len(logs) == 32  # field 11 has constant stars only
    for field in logs.values():
        assert 20 <= len(field.mjd) <= 29
        assert (np.diff(field.mjd) > 0).all()


@real_data
def test_the_data_set_is_built_from_the_real_log(tmp_path):
    import tensorflow_datasets as tfds

    builder = tfds.builder("hits_sim/tiny", data_dir=tmp_path)
    builder.download_and_prepare()
    source = builder.as_data_source("all")
    assert len(source) == 44
    label = {source[i]["label"].decode() for i in range(44)}
    assert label <= {"SN", *CLASSES} - {"SNIa", "SNIbc", "SNII"}
    groups = {source[i]["group"].decode() for i in range(44)}
    assert len(groups) > 10
