"""Facts of each survey: bands, classes, pixel scale, units, citation."""

from typing import NamedTuple

from jaxastro import survey_columns
from jaxastro.errors import InputError

UNLABELLED = "Unknown"  # label of an object of unknown class
LABEL_SOURCES = ("spectroscopic", "photometric", "catalogue", "simulated", "none")


NAN = float("nan")  # a single object, so that unknown facts compare as equal


class Survey(NamedTuple):
    """Facts of one survey, or of one data set with its own bands and classes."""

    name: str
    kind: str  # of its records, a key of data.record.RECORD_TYPES
    bands: tuple[str, ...]  # record.band has indices of it
    wavelength: tuple[float, ...]  # effective, Angstrom, one per band
    classes: tuple[str, ...]  # known labels; UNLABELLED is not a class
    unit: str  # of flux; of images per pixel
    citation: str
    pixel_scale: float = NAN  # arcsec per pixel; NaN without images
    image_size: int = 0  # pixels on a side; 0 if it varies, or without images
    shape: tuple[int, ...] = ()  # y x d of cutouts that are not square
    sentinels: tuple[float, ...] = ()  # pixel values that mean "no measurement"
    valid_range: tuple[float, float] = (float("-inf"), float("inf"))  # of a pixel
    season_days: float = 365.25  # period of the observing seasons, for leak checks
    columns: tuple[tuple[str, str], ...] = ()  # further numbers: name, unit


SURVEYS = {
    "sdss_sn_sim": Survey(
        name="sdss_sn_sim",
        kind="series",
        bands=("u", "g", "r", "i", "z"),
        wavelength=(3561.79, 4718.87, 6185.19, 7499.70, 8961.49),
        classes=("AGN", "SNIa", "SNOther", "Variable"),
        pixel_scale=0.396,
        image_size=32,
        unit="microjansky",
        sentinels=(-9999.0,),
        citation="Simulated by jaxastro after Sako et al. 2018, PASP 130, 064002.",
    ),
    "sdss_sn": Survey(
        name="sdss_sn",
        kind="series",
        bands=("u", "g", "r", "i", "z"),
        wavelength=(3561.79, 4718.87, 6185.19, 7499.70, 8961.49),
        classes=("AGN", "SNIa", "SNOther", "Variable"),
        pixel_scale=0.396,
        image_size=32,
        unit="microjansky",
        citation=(
            "Sako et al. 2018, PASP 130, 064002; frames of Abdurro'uf et al. 2022, "
            "ApJS 259, 35 (SDSS DR17)."
        ),
    ),
    "sdss_sn_photometry": Survey(
        name="sdss_sn_photometry",
        kind="light_curve",
        bands=("u", "g", "r", "i", "z"),
        wavelength=(3561.79, 4718.87, 6185.19, 7499.70, 8961.49),
        classes=("AGN", "SNIa", "SNOther", "Variable"),
        unit="microjansky",
        citation=(
            "Sako et al. 2018, PASP 130, 064002; scene modelling of Holtzman et al. "
            "2008, AJ 136, 2306."
        ),
        columns=survey_columns.SDSS_SN_PHOTOMETRY,
    ),
    "hits": Survey(
        name="hits",
        kind="series",
        bands=("g",),
        wavelength=(4730.0,),
        classes=("SN", "EB", "RRLyrae", "NonVariable"),
        pixel_scale=0.27,
        image_size=21,
        unit="ADU",  # the stamps are published without zero points
        # 0 is outside of the chip: the darkest real sky is 100 ADU.
        sentinels=(-9999.0, 0.0),
        valid_range=(-1000.0, 1e5),  # beyond DECam's full well; 9.998e7 occurs
        season_days=1.0,  # one campaign: the pattern is within the night
        citation=(
            "Forster et al. 2016, ApJ 832, 155; stamps of Carrasco-Davis et al. "
            "2019, PASP 131, 108006."
        ),
    ),
    "hits_sim": Survey(
        name="hits_sim",
        kind="series",
        bands=("g",),
        wavelength=(4730.0,),
        classes=(
            "SN",  # labels of the real survey
            "EB",
            "RRLyrae",
            "NonVariable",
            "SNIa",
            "SNIbc",
            "SNII",
            "AGN",
            "Cepheid",
            "LongPeriod",
            "Asteroid",
            "Galaxy",
        ),
        pixel_scale=0.27,
        image_size=21,
        unit="ADU",
        valid_range=(-1000.0, 1e5),
        season_days=1.0,
        citation=(
            "Simulated by jaxastro after Carrasco-Davis et al. 2019, PASP 131, 108006, "
            "from the observing log of Forster et al. 2016, ApJ 832, 155."
        ),
    ),
    "planted": Survey(
        name="planted",
        kind="series",
        bands=("r",),
        wavelength=(6185.19,),
        classes=("rise", "fall", "spiral", "elliptical"),  # two per data set
        pixel_scale=0.396,
        image_size=22,
        unit="microjansky",
        citation="Simulated by jaxastro: classes that differ in one property only.",
    ),
    "asas": Survey(
        name="asas",
        kind="light_curve",
        bands=("V",),
        wavelength=(5450.0,),
        classes=(
            "Mira",
            "RRab",
            "RRc",
            "DeltaScuti",
            "BetaCephei",
            "ACV",
            "EB_contact",
            "EB_semidetached",
            "EB_detached",
            "EB_unspecified",  # one of the three above; which is unknown
        ),
        unit="microjansky",
        citation="Pojmanski 2002, Acta Astronomica 52, 397.",
        columns=survey_columns.ASAS,
    ),
    "deep_tao": Survey(
        name="deep_tao",
        kind="series",
        bands=("clear",),  # no filter
        wavelength=(NAN,),
        classes=("AGN", "BZ", "CV", "SN", "OTHER", "NON"),
        pixel_scale=2.5,  # of most stamps; other telescopes have other scales
        image_size=64,
        unit="ADU",
        citation=(
            "Suarez-Perez et al. 2025, arXiv:2503.16714; Drake et al. 2009, ApJ 696, "
            "870."
        ),
    ),
    "sdss_handscan": Survey(
        name="sdss_handscan",
        kind="cutout",
        bands=("red", "green", "blue"),  # of the screen; probably i, r, g
        wavelength=(NAN,) * 3,
        classes=(
            "Artefact",
            "Dipole",
            "Saturated Star",
            "Moving",
            "Variable",
            "Transient",
            "SN Other",
            "SN Bronze",
            "SN Silver",
            "SN Gold",
        ),
        image_size=69,
        unit="grey level, 0 to 255",
        citation="du Buisson et al. 2015, MNRAS 454, 2026.",
    ),
    "ztf_periodic": Survey(
        name="ztf_periodic",
        kind="light_curve",
        bands=("g", "r"),
        wavelength=(4746.48, 6366.38),
        classes=(
            "BYDra",
            "CEP",
            "CEPII",
            "DSCT",
            "EA",
            "EW",
            "Mira",
            "RR",
            "RRc",
            "RSCVN",
            "SR",
        ),
        unit="microjansky",
        citation="Chen et al. 2020, ApJS 249, 18; Masci et al. 2019, PASP 131, 018003.",
        columns=survey_columns.ZTF_PERIODIC,
    ),
    "light_curves": Survey(  # derived_of adds the facts of the images
        name="light_curves",
        kind="light_curve",
        bands=(),
        wavelength=(),
        classes=(),
        unit="that of the images",
        citation="Photometry by jaxastro on the images of another survey.",
    ),
    "heat_maps": Survey(  # derived_of adds the facts of the light curves
        name="heat_maps",
        kind="cutout",
        bands=(),
        wavelength=(),
        classes=(),
        unit="that of the light curves",
        citation="Heat maps by jaxastro after Qu et al. 2021, arXiv:2106.04370.",
        shape=(32, 180, 2),
    ),
    "image_folder": Survey(  # defaults; each folder has its own facts
        name="image_folder",
        kind="series",
        bands=(),
        wavelength=(),
        classes=(),
        unit="unknown",
        citation="",
    ),
    "ztf_alerts": Survey(
        name="ztf_alerts",
        kind="alerts",
        bands=("g", "r", "i"),
        wavelength=(4746.48, 6366.38, 7829.03),
        classes=(
            "SN",
            "AGN",
            "VS",
            "Asteroid",
            "Bogus",
            "TDE",
            "SNIa",  # kinds of SN
            "SNIbc",
            "SNII",
            "RRLyrae",  # kinds of VS
            "Cepheid",
            "LongPeriod",
            "EB",
            "dipole",  # kinds of Bogus
            "cosmic_ray",
            "column",
            "ghost",
            "noise",
        ),
        pixel_scale=1.01,
        image_size=63,
        unit="microjansky (stamps: ADU)",
        citation="Bellm et al. 2019, PASP 131, 018002; Masci et al. 2019, 018003.",
        columns=survey_columns.ZTF_ALERTS,
    ),
    "btsbot": Survey(
        name="btsbot",
        kind="alerts",
        bands=("g", "r", "i"),
        wavelength=(4746.48, 6366.38, 7829.03),
        classes=("bright transient", "not"),
        pixel_scale=1.01,
        image_size=63,
        unit="microjansky (stamps: of L2 norm 1)",
        citation="Rehemtulla et al. 2024, ApJ 972, 7.",
        columns=survey_columns.BTSBOT,
    ),
    "rubin_alerts": Survey(
        name="rubin_alerts",
        kind="alerts",
        bands=("u", "g", "r", "i", "z", "y"),
        wavelength=(3670.7, 4826.9, 6223.2, 7546.0, 8690.9, 9710.3),
        classes=(),  # the stream has no labels
        pixel_scale=0.2,
        unit="microjansky",
        citation="Ivezic et al. 2019, ApJ 873, 111.",
        columns=survey_columns.RUBIN_ALERTS,
    ),
}
SURVEYS["sdss_handscan_sim"] = SURVEYS["sdss_handscan"]._replace(
    name="sdss_handscan_sim",
    citation="Simulated by jaxastro after du Buisson et al. 2015, MNRAS 454, 2026.",
)
SURVEYS["ztf_alerts_sim"] = SURVEYS["ztf_alerts"]._replace(
    name="ztf_alerts_sim",
    citation=(
        "Simulated by jaxastro after Masci et al. 2019, PASP 131, 018003, and "
        "Carrasco-Davis et al. 2021, AJ 162, 231."
    ),
)


def survey_of(name: str) -> Survey:
    """Returns the facts of a survey or of one of its data sets.

    Args:
        name: such as "hits", "sdss_sn_sim/laptop", "light_curves/sdss_sn_sim.laptop".

    Raises:
        InputError: if there is no such survey; the message lists all.
    """
    survey, _, preset = name.partition("/")
    if survey not in SURVEYS:
        raise InputError(
            f"No survey named {survey!r}. Known surveys: {', '.join(SURVEYS)}. To add "
            "one, describe it in jaxastro/surveys.py and write its builder."
        )
    if survey in DERIVED and preset:
        origin = origin_of(name)
        return derived_of(survey, origin, survey_of(origin))
    return SURVEYS[survey]


DERIVED = {  # derived survey -> kind of the records it is computed from, with name
    "light_curves": ("series", "image time series"),
    "heat_maps": ("light_curve", "light curves"),
}


def origin_of(name: str) -> str:
    """Returns the data set from which a derived one is computed: "hits_sim/transfer".

    Args:
        name: such as "light_curves/hits_sim.transfer", with a dot for the slash.

    Raises:
        InputError: if there is no such survey, or it has records of another kind.
    """
    derived, _, preset = name.partition("/")
    survey, _, rest = preset.partition(".")
    kind, records = DERIVED[derived]
    if survey not in SURVEYS or SURVEYS[survey].kind != kind:
        known = [name for name, facts in SURVEYS.items() if facts.kind == kind]
        raise InputError(
            f"{derived}/{preset}: {survey!r} is no survey of {records}. Those are "
            f"{', '.join(known)}. Write {derived}/SURVEY, with its preset after a dot: "
            "light_curves/sdss_sn_sim.laptop, heat_maps/light_curves.hits."
        )
    return f"{survey}/{rest}" if rest else survey


def derived_of(derived: str, origin: str, facts: Survey) -> Survey:
    """Returns the facts of a derived data set.

    Args:
        derived: a key of DERIVED.
        origin: name of the data set from which it is computed.
        facts: of that data set.
    """
    own = SURVEYS[derived]
    kept = (
        "bands",
        "wavelength",
        "classes",
        "unit",
        "season_days",
        "pixel_scale",
        "sentinels",  # this one and the next are needed to read new images
        "valid_range",
    )
    return own._replace(
        name=f"{own.name}/{_without_preset(origin)}",
        citation=f"{own.citation} {facts.citation}",
        **{field: getattr(facts, field) for field in kept},
    )


def _without_preset(name: str) -> str:
    """Returns "light_curves.hits_sim" for "light_curves/hits_sim.transfer"."""
    survey = name.partition("/")[0]
    of = f".{_without_preset(origin_of(name))}" if survey in DERIVED else ""
    return survey + of
