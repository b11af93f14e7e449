"""From raw survey files to TFDS records: one builder per survey."""

from data_builders.hits import Hits as Hits
from data_builders.sdss_sn_sim import SdssSnSim as SdssSnSim
