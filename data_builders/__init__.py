"""From raw survey files to TFDS records: one builder per survey."""

from data_builders import hits, sdss_sn_sim
from data_builders.hits import Hits as Hits
from data_builders.sdss_sn_sim import SdssSnSim as SdssSnSim

READERS = {  # survey -> read(path), which yields a Reading per raw object
    "hits": hits.read,
    "sdss_sn_sim": sdss_sn_sim.read,
}
