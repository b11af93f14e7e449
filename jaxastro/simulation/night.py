"""One night of simulated alerts, for tests of alert brokers.

    packets = alerts_of_night(packets, 59900, number=0, seed=0)

In a single night of a season only few of the simulated objects have an alert. To fill a
night, one of the nights with alerts is selected for each object, and its packets are
shifted to the same date.
"""

import copy

import numpy as np

from jaxastro.units import MJD_ZERO

OF_CANDIDATE = ("jd", "jdstarthist", "jdendhist")  # its times


def alerts_of_night(
    packets: list[dict], night: int, *, number: int, seed: int
) -> list[dict]:
    """Returns the packets of one random night of an object, shifted to a date.

    Packets and their history are shifted by whole days, so that the time of night does
    not change.

    Args:
        packets: of object `number`, at least one.
        night: modified Julian date, a whole number; nights at Palomar are within it.
    """
    nights = np.array([int(p["candidate"]["jd"] - MJD_ZERO) for p in packets])
    rng = np.random.default_rng([seed, 13, number])
    drawn = int(rng.choice(np.unique(nights)))
    those = (packets[t] for t in np.flatnonzero(nights == drawn))
    return [_shifted(packet, night - drawn) for packet in those]


def _shifted(packet: dict, days: int) -> dict:
    packet = copy.copy(packet)
    candidate = packet["candidate"] = dict(packet["candidate"])
    for name in OF_CANDIDATE:
        candidate[name] += days
    if packet["prv_candidates"]:
        packet["prv_candidates"] = [
            row | {"jd": row["jd"] + days} for row in packet["prv_candidates"]
        ]
    return packet
