"""From raw survey files to TFDS records: one builder per survey."""

from data_builders.asas import asas
from data_builders.asas.asas import Asas as Asas
from data_builders.deep_tao import deep_tao
from data_builders.deep_tao.deep_tao import DeepTao as DeepTao
from data_builders.derived import heat_maps, light_curves
from data_builders.derived.heat_maps import HeatMaps as HeatMaps
from data_builders.derived.light_curves import LightCurves as LightCurves
from data_builders.hits import hits, hits_sim
from data_builders.hits.hits import Hits as Hits
from data_builders.hits.hits_sim import HitsSim as HitsSim
from data_builders.own_data import image_folder
from data_builders.own_data.image_folder import ImageFolder as ImageFolder
from data_builders.planted import planted
from data_builders.planted.planted import Planted as Planted
from data_builders.rubin import rubin_alerts
from data_builders.rubin.rubin_alerts import RubinAlerts as RubinAlerts
from data_builders.sdss import (
    sdss_handscan,
    sdss_handscan_sim,
    sdss_sn,
    sdss_sn_photometry,
    sdss_sn_sim,
)
from data_builders.sdss.sdss_handscan import SdssHandscan as SdssHandscan
from data_builders.sdss.sdss_handscan_sim import SdssHandscanSim as SdssHandscanSim
from data_builders.sdss.sdss_sn import SdssSn as SdssSn
from data_builders.sdss.sdss_sn_photometry import SdssSnPhotometry as SdssSnPhotometry
from data_builders.sdss.sdss_sn_sim import SdssSnSim as SdssSnSim
from data_builders.ztf import btsbot, ztf_alerts, ztf_alerts_sim, ztf_periodic
from data_builders.ztf.btsbot import Btsbot as Btsbot
from data_builders.ztf.ztf_alerts import ZtfAlerts as ZtfAlerts
from data_builders.ztf.ztf_alerts_sim import ZtfAlertsSim as ZtfAlertsSim
from data_builders.ztf.ztf_periodic import ZtfPeriodic as ZtfPeriodic

READERS = {  # survey -> read(path), which yields a Reading per raw object
    "asas": asas.read,
    "btsbot": btsbot.read,
    "deep_tao": deep_tao.read,
    "heat_maps": heat_maps.read,
    "hits": hits.read,
    "hits_sim": hits_sim.read,
    "image_folder": image_folder.read,
    "light_curves": light_curves.read,
    "planted": planted.read,
    "rubin_alerts": rubin_alerts.read,
    "sdss_handscan": sdss_handscan.read,
    "sdss_handscan_sim": sdss_handscan_sim.read,
    "sdss_sn": sdss_sn.read,
    "sdss_sn_photometry": sdss_sn_photometry.read,
    "sdss_sn_sim": sdss_sn_sim.read,
    "ztf_alerts": ztf_alerts.read,
    "ztf_alerts_sim": ztf_alerts_sim.read,
    "ztf_periodic": ztf_periodic.read,
}

READERS_OF_ALERTS = {  # survey -> read_each(path, stream), a Reading per alert
    "ztf_alerts": ztf_alerts.read_each,
    "ztf_alerts_sim": ztf_alerts.read_each,
}
