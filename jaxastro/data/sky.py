"""Which objects are one place on the sky, whatever a survey calls them."""

import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.spatial import cKDTree


def sky_groups(ra, dec, *, radius: float = 2.0) -> list[str]:
    """Returns for each object the name of its group: all within reach of each other.

    Objects closer than the radius share a group, and so do friends of friends. The
    name is the position of the group's first member, so that groups of different
    data sets agree; objects without a position are groups of their own.

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
    heads = [first[member[i]] for i in range(len(ra))]
    known = np.isfinite(ra) & np.isfinite(dec)
    return [
        f"sky{ra[head]:.4f}{dec[head]:+.4f}" if known[i] else f"alone{i}"
        for i, head in enumerate(heads)
    ]


def close_pairs(ra, dec, *, radius: float = 2.0) -> np.ndarray:
    """Returns [pairs 2], the row numbers of objects that are close on the sky.

    Args:
        ra: [n] degrees; NaN where unknown, which is close to nothing.
        dec: [n] degrees.
        radius: arcsec.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    lon, lat = np.radians(ra[known]), np.radians(dec[known])
    place = np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1
    )
    # The chord of an angle, so that poles and the meridian are places like others.
    chord = 2 * np.sin(np.radians(radius / 3600) / 2)
    return known[cKDTree(place).query_pairs(chord, output_type="ndarray")]
