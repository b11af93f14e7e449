"""The data sets of this package: the module of each and its TFDS builder.

A module is imported when it is used for the first time. Each has

    read(path)        yields a Reading for every object of a raw file or folder
    recognises(path)  returns whether raw data have the format of this data set
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jaxastro.errors import InputError

BUILDERS = {  # name of the data set -> module, class of its TFDS builder
    "asas": ("data_builders.asas.asas", "Asas"),
    "btsbot": ("data_builders.ztf.btsbot", "Btsbot"),
    "deep_tao": ("data_builders.deep_tao.deep_tao", "DeepTao"),
    "heat_maps": ("data_builders.derived.heat_maps", "HeatMaps"),
    "hits": ("data_builders.hits.hits", "Hits"),
    "hits_sim": ("data_builders.hits.hits_sim", "HitsSim"),
    "image_folder": ("data_builders.own_data.image_folder", "ImageFolder"),
    "light_curves": ("data_builders.derived.light_curves", "LightCurves"),
    "planted": ("data_builders.planted.planted", "Planted"),
    "rubin_alerts": ("data_builders.rubin.rubin_alerts", "RubinAlerts"),
    "sdss_handscan": ("data_builders.sdss.sdss_handscan", "SdssHandscan"),
    "sdss_handscan_sim": ("data_builders.sdss.sdss_handscan_sim", "SdssHandscanSim"),
    "sdss_sn": ("data_builders.sdss.sdss_sn", "SdssSn"),
    "sdss_sn_photometry": (
        "data_builders.sdss.sdss_sn_photometry",
        "SdssSnPhotometry",
    ),
    "sdss_sn_sim": ("data_builders.sdss.sdss_sn_sim", "SdssSnSim"),
    "ztf_alerts": ("data_builders.ztf.ztf_alerts", "ZtfAlerts"),
    "ztf_alerts_sim": ("data_builders.ztf.ztf_alerts_sim", "ZtfAlertsSim"),
    "ztf_periodic": ("data_builders.ztf.ztf_periodic", "ZtfPeriodic"),
}
ALERT_READERS = {  # name of the data set -> module with read_each(path, stream)
    "ztf_alerts": "data_builders.ztf.ztf_alerts",
    "ztf_alerts_sim": "data_builders.ztf.ztf_alerts",
}


def reader_of(name: str) -> Callable:
    """Returns the function read(path) of a data set.

    It yields one Reading per raw object: a record, or the reason why there is none.
    `image_folder`, `light_curves` and `heat_maps` also take the facts of the survey as
    a second argument.

    Args:
        name: of the data set without a preset, such as "hits".

    Raises:
        InputError: if there is no such data set.
    """
    return module_of(name).read


def alert_reader_of(name: str) -> Callable:
    """Returns the function read_each(path, stream), which yields one Reading per alert.

    Raises:
        InputError: if the data set has no alerts that can be read one by one.
    """
    if name not in ALERT_READERS:
        raise InputError(
            f"Data set {name!r} has no alerts that can be read one by one. These have: "
            f"{', '.join(ALERT_READERS)}. Predict by object: leave out --each_alert, "
            "or each_alert=True in Python."
        )
    return importlib.import_module(ALERT_READERS[name]).read_each


def builder_class_of(name: str) -> Any:
    """Returns the class of a data set's TFDS builder.

    Raises:
        InputError: if there is no such data set.
    """
    return getattr(module_of(name), BUILDERS[name][1])


def module_of(name: str) -> ModuleType:
    """Returns the module that reads a data set.

    Raises:
        InputError: if there is no such data set.
    """
    if name not in BUILDERS:
        raise InputError(
            f"No builder named {name!r}. Known builders: {', '.join(BUILDERS)}. Choose "
            "one of them."
        )
    return importlib.import_module(BUILDERS[name][0])
