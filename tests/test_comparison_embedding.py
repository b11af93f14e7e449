import numpy as np

from jaxastro.reports.comparison.embedding import align, silhouette


def test_compact_classes_have_a_silhouette_of_one_and_maps_are_rotated():
    clusters = np.repeat([[0.0, 0.0], [100.0, 0.0]], 5, axis=0)
    assert silhouette(clusters, np.repeat([0, 1], 5)) == 1
    assert silhouette(clusters, np.zeros(10)) is None
    place = np.random.default_rng(0).normal(size=(9, 2))
    place -= place.mean(axis=0)
    quarter = place @ np.array([[0, 1], [-1, 0]])
    np.testing.assert_allclose(align(quarter, place), place, atol=1e-12)
