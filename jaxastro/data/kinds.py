"""The kinds of records that surveys have."""

from jaxastro.data.alert import AlertRecord
from jaxastro.data.cutout import Cutout
from jaxastro.data.light_curve import LightCurve
from jaxastro.data.record import Record

KINDS = {
    "series": Record,
    "light_curve": LightCurve,
    "alerts": AlertRecord,
    "cutout": Cutout,
}
