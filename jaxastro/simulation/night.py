"""One night of simulated alerts: of each object, those of a night that saw it.

    packets = alerts_of_night(packets, 59900, number=0, seed=0)

A season has as many nights as a supernova needs to come and go, so that few objects of
a fair draw are alerted in any one of them. A broker's test wants a full night: here a
night is drawn for each object of those that saw it, and all are moved onto one date.
"""

import copy

import numpy as np

from jaxastro.units import MJD_ZERO

OF_CANDIDATE = ("jd", "jdstarthist", "jdendhist")  # its times


def alerts_of_night(
    packets: list[dict], night: int, *, number: int, seed: int
) -> list[dict]:
    """Returns the packets of one night of an object, moved by whole days to a date.

    Their history of the days before moves with them. Hours of the night stay.

    Args:
        packets: of object `number`, one at least.
        night: modified Julian date, a whole number: Palomar's nights lie within it.
    """
    nights = np.array([int(p["candidate"]["jd"] - MJD_ZERO) for p in packets])
    rng = np.random.default_rng([seed, 13, number])
    drawn = int(rng.choice(np.unique(nights)))
    those = (packets[t] for t in np.flatnonzero(nights == drawn))
    return [_moved(packet, night - drawn) for packet in those]


def _moved(packet: dict, days: int) -> dict:
    packet = copy.copy(packet)
    candidate = packet["candidate"] = dict(packet["candidate"])
    for name in OF_CANDIDATE:
        candidate[name] += days
    if packet["prv_candidates"]:
        packet["prv_candidates"] = [
            row | {"jd": row["jd"] + days} for row in packet["prv_candidates"]
        ]
    return packet
