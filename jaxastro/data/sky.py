"""Groups of objects at the same position on the sky."""

import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.spatial import cKDTree


def sky_groups(ra, dec, *, radius: float = 2.0) -> list[str]:
    """Returns for each object the name of its group, by the friends-of-friends method.

    Objects closer than the radius share a group. The name is the position of the
    group's first member, so that groups of different data sets agree. An object without
    a position is a group of its own.

    Args:
        ra: [n] degrees; NaN where unknown.
        dec: [n] degrees.
        radius: arcsec.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    member = DisjointSet(range(len(ra)))
    for one, other in close_pairs(ra, dec, radius=radius):
        member.merge(int(one), int(other))
    first = {}
    for i in range(len(ra)):
        first.setdefault(member[i], i)
    firsts = [first[member[i]] for i in range(len(ra))]
    known = np.isfinite(ra) & np.isfinite(dec)
    return [
        f"sky{ra[k]:.4f}{dec[k]:+.4f}" if known[i] else f"alone{i}"
        for i, k in enumerate(firsts)
    ]


def close_pairs(ra, dec, *, radius: float = 2.0) -> np.ndarray:
    """Returns [pairs 2], the row numbers of objects closer than the radius.

    Args:
        ra: [n], degrees; NaN where unknown, which is in no pair.
        dec: [n], degrees.
        radius: arcsec.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    lon, lat = np.radians(ra[known]), np.radians(dec[known])
    place = np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1
    )
    # Chords in three dimensions have no singularity at poles and the meridian.
    chord = 2 * np.sin(np.radians(radius / 3600) / 2)
    return known[cKDTree(place).query_pairs(chord, output_type="ndarray")]
