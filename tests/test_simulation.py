"""The simulated survey: scenes, camera, cadence and objects."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from jaxastro.simulation import cadence, hosts, observing, scene, survey
from jaxastro.units import microjansky_per_adu

SCALE, SIZE = survey.SURVEY.pixel_scale, survey.SURVEY.image_size
TINY, LAPTOP, PAPER = (survey.PRESETS[name] for name in ("tiny", "laptop", "paper"))
PER_EPOCH = ("mjd", "band", "psf_fwhm", "noise", "gain", "zero_point", "bad_pixel")


def render(parts, psf_fwhm, centre=(15.5, 15.5), size=SIZE, pixel_scale=SCALE):
    fwhm = np.atleast_1d(np.asarray(psf_fwhm, float))
    return scene.render(
        scene.together(parts),
        psf_fwhm=fwhm,
        centre=np.tile(np.array(centre, float), (len(fwhm), 1)),
        pixel_scale=pixel_scale,
        size=size,
    )


def flat_log(frames, *, sky=150.0, zero_point=28.3):
    """Returns a log of one visit per frame with constant conditions."""
    one = np.ones(frames)
    return observing.ObservingLog(
        mjd=53614.0 + np.arange(frames),
        band=np.full(frames, 2, np.int32),
        visit=np.arange(frames, dtype=np.int32),
        priority=np.arange(frames, dtype=np.int32),
        psf_fwhm=1.3 * one,
        sky=sky * one,
        gain=4.7 * one,
        zero_point=zero_point * one,
        read_noise=5.0 * one,
    )


# Scenes.


@pytest.mark.parametrize("fwhm", [0.95, 1.4, 2.4])
def test_the_pixels_of_a_star_add_up_to_its_flux(fwhm):
    # A stamp of 80 pixels: 0.3 per cent of the worst seeing lies outside 32.
    star = [scene.point((0.3, -0.2), [7.0])]
    image = render(star, fwhm, centre=(39.2, 39.8), size=80)
    np.testing.assert_allclose(image.sum(), 7.0, rtol=1e-5)


def test_the_pixels_of_a_galaxy_add_up_to_its_flux():
    disc = scene.sersic((0, 0), [5.0], index=1, radius=1.5, axis_ratio=0.5, angle=1.0)
    np.testing.assert_allclose(render([disc], 1.3).sum(), 5.0, rtol=2e-3)


@pytest.mark.parametrize("fwhm", [1.0, 1.4, 2.0])
def test_a_rendered_star_is_half_as_bright_at_half_its_fwhm(fwhm):
    # A finely sampled star, so that the radius need not be interpolated far.
    fine = SCALE / 16
    image = render(
        [scene.point((0, 0), [1.0])], fwhm, centre=(60, 60), size=121, pixel_scale=fine
    )[0]
    row = image[60, 60:]
    half = np.interp(-row[0] / 2, -row, np.arange(len(row)) * fine)
    np.testing.assert_allclose(2 * half, fwhm, rtol=2e-3)


def test_a_star_is_at_its_position():
    image = render([scene.point((1.2, -0.7), [1.0])], 1.2, centre=(14.9, 16.2))[0]
    y, x = np.mgrid[:SIZE, :SIZE]
    place = (image * x).sum() / image.sum(), (image * y).sum() / image.sum()
    expected = 14.9 + 1.2 / SCALE, 16.2 - 0.7 / SCALE
    np.testing.assert_allclose(place, expected, atol=2e-3)


def slow_galaxy(position, *, index, radius, axis_ratio, angle, fwhm, fine=5):
    """Convolves the profile with the PSF by FFT, on a fine grid."""
    size, step = 3 * SIZE * fine, SCALE / fine
    # The middle of the stamp's middle four pixels, in fine pixels.
    y, x = (np.mgrid[:size, :size] - (size - 1) / 2) * step
    dx, dy = x - position[0], y - position[1]
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = (dy * np.cos(angle) - dx * np.sin(angle)) / axis_ratio
    r = np.hypot(along, across)
    # b from Ciotti & Bertin (1999), total flux of the profile normalised to one.
    b = 2 * index - 1 / 3 + 0.009876 / index
    profile = np.exp(-b * (r / radius) ** (1 / index))
    gamma = {1: 1.0, 4: 5040.0}[index]  # gamma function of 2 n
    area = 2 * np.pi * index * radius**2 * axis_ratio * gamma / b ** (2 * index)
    profile *= step**2 / area
    sigma = fwhm / scene.FWHM_PER_SIGMA
    y, x = (np.mgrid[:size, :size] - size // 2) * step  # centred as ifftshift expects
    psf = sum(
        weight / (2 * np.pi * s**2) * np.exp(-0.5 * (x**2 + y**2) / s**2) * step**2
        for weight, s in zip(
            scene.PSF_WEIGHT, sigma * np.array(scene.PSF_SIGMA), strict=True
        )
    )
    blurred = np.fft.irfft2(
        np.fft.rfft2(profile) * np.fft.rfft2(np.fft.ifftshift(psf)), s=profile.shape
    )
    # Sampled, not integrated: the fine pixel in the middle of each pixel, per pixel.
    middle = blurred[fine // 2 :: fine, fine // 2 :: fine] * fine**2
    return middle[SIZE : 2 * SIZE, SIZE : 2 * SIZE]


@pytest.mark.parametrize(("index", "tolerance"), [(1, 0.002), (4, 0.025)])
@pytest.mark.parametrize("radius", [0.6, 2.5])
def test_galaxies_equal_a_numerical_convolution(index, tolerance, radius):
    shape = {"index": index, "radius": radius, "axis_ratio": 0.6, "angle": 0.5}
    slow = slow_galaxy((0.9, -0.5), fwhm=1.3, **shape)
    fast = render([scene.sersic((0.9, -0.5), [1.0], **shape)], 1.3)[0]
    assert abs(fast - slow).max() < tolerance * slow.max()


def test_an_unknown_sersic_index_is_an_error():
    with pytest.raises(ValueError, match="Sersic index 2"):
        scene.sersic((0, 0), [1.0], index=2, radius=1, axis_ratio=1, angle=0)


# The camera.


def test_the_noise_of_empty_and_bright_pixels_is_the_predicted_one():
    log = flat_log(60)
    for level in (0.0, 20.0):
        image = np.full((60, SIZE, SIZE), level, np.float32)
        flux = observing.expose(image, log, key=5).astype(float)
        predicted = observing.pixel_noise(log, level)[0]
        # 61,440 pixels: the standard deviation is known to 0.3 per cent.
        np.testing.assert_allclose(flux.std(), predicted, rtol=0.012)
        np.testing.assert_allclose(
            flux.mean(), level, atol=4 * predicted / np.sqrt(flux.size)
        )


def test_flux_is_whole_counts_less_the_sky():
    log = flat_log(3)
    flux = observing.expose(np.zeros((3, SIZE, SIZE), np.float32), log, key=1)
    counts = flux / microjansky_per_adu(28.3) + 150.0
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-4)


def test_one_adu_is_one_microjansky_at_its_zero_point():
    assert microjansky_per_adu(23.9) == 1.0
    np.testing.assert_allclose(microjansky_per_adu(26.4), 0.1)


def test_the_noise_of_a_visit_does_not_depend_on_the_other_visits():
    log, image = flat_log(6), np.ones((6, SIZE, SIZE), np.float32)
    few = observing.ObservingLog(*(column[[1, 4]] for column in log))
    every = observing.expose(image, log, key=3)
    np.testing.assert_array_equal(every[[1, 4]], observing.expose(image[:2], few, 3))
    assert (every[1] != every[4]).any()


def test_depths_are_those_of_the_survey():
    logs = [survey.observing_log(field, 0) for field in range(20)]
    band = np.concatenate([log.band for log in logs])
    noise = np.concatenate(
        [observing.point_noise(log, pixel_scale=SCALE) for log in logs]
    )
    depth = [23.9 - 2.5 * np.log10(5 * np.median(noise[band == b])) for b in range(5)]
    np.testing.assert_allclose(depth, [21.9, 23.0, 22.7, 22.2, 20.7], atol=0.35)


def test_images_and_log_must_have_the_same_frames():
    with pytest.raises(ValueError, match="2 images but 3 frames"):
        observing.expose(np.zeros((2, SIZE, SIZE), np.float32), flat_log(3), key=0)


# Cadence.


def test_every_field_has_one_dense_season_and_five_bands_minutes_apart():
    for field in range(0, cadence.NUM_FIELDS, 7):
        visits = cadence.draw_visits(field, seed=0)
        assert (np.diff(visits.mjd) > 0).all()
        start = np.array(cadence.SEASON_START)
        season = np.searchsorted(start, visits.mjd, side="right") - 1
        assert (visits.mjd - start[season] < cadence.SEASON_DAYS + 1).all()
        count = np.sort(np.bincount(season, minlength=3))
        assert count[0] > 0
        assert count[2] > 1.5 * count[1]
        one = visits.mjd[visits.visit == visits.visit[0]]
        assert np.ptp(one) < 5 / 60 / 24 + 1e-9
        assert set(visits.band) == set(range(5))


def test_fields_tile_the_stripe():
    west, east = cadence.RIGHT_ASCENSION
    assert cadence.field_of(west, -1) == 0
    assert cadence.field_of(east, 1) == cadence.NUM_FIELDS - 1
    place = np.random.default_rng(0).uniform(west, east, 4000)
    assert len({cadence.field_of(ra, 0.5 - i % 2) for i, ra in enumerate(place)}) == 120


# Objects.


@pytest.fixture(scope="module")
def objects():
    return [survey.simulate_object(i, seed=3, preset=LAPTOP) for i in range(250)]


def test_what_is_observed_and_how_does_not_depend_on_the_class():
    for number in range(4):
        made = [
            survey.simulate_object(number, seed=1, preset=TINY, category=name)
            for name in survey.CATEGORIES
        ]
        for record in made[1:]:
            assert record.group == made[0].group
            assert record.object_id == made[0].object_id
            for name in PER_EPOCH:
                np.testing.assert_array_equal(
                    getattr(record, name), getattr(made[0], name)
                )
        assert len({record.truth for record in made}) >= 3


def test_epoch_counts_bands_and_seasons_cannot_predict_the_class(objects):
    start = np.array(cadence.SEASON_START)
    schedule = np.array(
        [
            [
                len(record.mjd),
                *np.bincount(record.band, minlength=5),
                *np.bincount(np.searchsorted(start, record.mjd), minlength=4),
                np.median(record.noise),
                np.median(record.psf_fwhm),
            ]
            for record in objects
        ]
    )
    truth = [record.truth for record in objects]
    forest = RandomForestClassifier(
        100, class_weight="balanced", min_samples_leaf=3, random_state=0
    )
    guess = cross_val_predict(
        forest,
        schedule,
        truth,
        groups=[record.group for record in objects],
        cv=GroupKFold(5),
    )
    assert balanced_accuracy_score(truth, guess) < 0.36  # chance is 0.25


def test_corners_are_as_dark_and_as_noisy_for_all_classes(objects):
    level = {}
    for record in objects:
        sky = record.flux[:, :4, :4] / record.noise[:, None, None]
        level.setdefault(record.truth, []).append(np.median(sky.std(axis=(1, 2))))
    medians = [np.median(values) for values in level.values()]
    assert np.ptp(medians) < 0.04


def test_an_object_is_the_same_in_any_order_and_company():
    alone = survey.simulate_object(17, seed=3, preset=TINY)
    survey.simulate_object(4, seed=3, preset=TINY)
    again = survey.simulate_object(17, seed=3, preset=TINY)
    for name in alone._fields:
        np.testing.assert_array_equal(getattr(alone, name), getattr(again, name))
    other = survey.simulate_object(17, seed=4, preset=TINY)
    assert other.object_id != alone.object_id


def test_a_smaller_preset_keeps_fewer_visits_of_the_same_objects():
    for number in (0, 5):
        full = survey.simulate_object(number, seed=3, preset=PAPER)
        for preset in (LAPTOP, TINY):
            few = survey.simulate_object(number, seed=3, preset=preset)
            assert len(few.mjd) < len(full.mjd)
            rows = np.searchsorted(full.mjd, few.mjd)
            for name in (*PER_EPOCH, "flux"):
                np.testing.assert_array_equal(
                    getattr(few, name), getattr(full, name)[rows]
                )
            assert (few.label, few.truth) == (full.label, full.truth)


def test_categories_have_the_proportions_of_the_table():
    drawn = [survey.category_of(number, seed=2) for number in range(survey.TOTAL)]
    for name, row in survey.CATEGORIES.items():
        assert abs(drawn.count(name) - row.count) <= 3
    assert survey.TOTAL == 10217


def test_labels_follow_the_rules(objects):
    for record in objects:
        if record.label_source in ("spectroscopic", "catalogue"):
            assert record.label == record.truth
        if record.label_source == "photometric":
            assert {record.label, record.truth} <= {"SNIa", "SNOther"}
        assert (record.label == "Unknown") == (record.label_source == "none")
        knows_redshift = record.label_source == "spectroscopic"
        assert np.isfinite(record.redshift) == knows_redshift
    photometric = [r for r in objects if r.label_source == "photometric"]
    wrong = np.mean([record.label != record.truth for record in photometric])
    assert 0.03 < wrong < 0.25


def test_faint_supernovae_have_more_wrong_types():
    assert survey.mistake_probability(19.0) == pytest.approx(0.03, abs=1e-3)
    assert survey.mistake_probability(survey.MISTAKE_TURN) == pytest.approx(0.115)
    assert survey.mistake_probability(24.0) == pytest.approx(0.20, abs=1e-3)


def test_spectra_are_of_the_bright_and_unknown_objects_are_hardly_detected():
    bright, faint, unknown = [], [], []
    log = survey.observing_log(3, 0)
    for number in range(60):
        for name, found in (("SNIa", bright), ("SNIa_PT", faint), ("Unknown", unknown)):
            rng = np.random.default_rng([7, number])
            found.append(survey._choose(rng, survey.CATEGORIES[name], log)[0])
    magnitudes = [np.median([c.magnitude for c in found]) for found in (bright, faint)]
    assert magnitudes[0] < magnitudes[1] - 0.5

    def detections(found):
        return [
            survey.count_detections(c.flux[None], c.rest[None], log)[0] for c in found
        ]

    assert min(detections(faint)) >= survey.KNOWN_DETECTIONS
    assert max(detections(unknown)) < survey.KNOWN_DETECTIONS


def test_supernovae_show_in_the_difference_of_their_frames(objects):
    """Returns the central flux minus its median in the same band."""
    best = []
    for record in objects:
        if record.truth != "SNIa" or record.label_source != "spectroscopic":
            continue
        centre = record.flux[:, 13:19, 13:19].sum(axis=(1, 2))
        is_red = record.band == 2
        change = centre[is_red] - np.median(centre[is_red])
        best.append((change / (6 * record.noise[is_red])).max())
    assert len(best) > 5
    assert np.median(best) > 5


def test_supernovae_lie_in_the_light_of_their_host():
    rng = np.random.default_rng(0)
    wave = np.array([6185.0])
    distance = []
    for _ in range(200):
        parts = hosts.draw_host(rng, "SNIa", 0.2, wave, np.zeros(2))
        distance.append(np.hypot(*parts[0].position[0]))
    assert 0.3 < np.median(distance) < 3.5  # arcsec
    nucleus = hosts.draw_host(rng, "AGN", 0.2, wave, np.array([0.1, 0.2]))
    np.testing.assert_array_equal(nucleus[0].position[0], [0.1, 0.2])


def test_unknown_names_are_errors_that_list_the_known():
    with pytest.raises(
        ValueError, match=r"No preset named 'huge'.*tiny, laptop, paper"
    ):
        survey.preset_of("huge")
    with pytest.raises(ValueError, match=r"No category 'Kilonova'.*SNIa_PT"):
        survey.simulate_object(0, seed=0, preset=TINY, category="Kilonova")
