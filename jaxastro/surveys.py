"""Facts of each survey: bands, classes, pixel scale, units, citation. No I/O."""

from typing import NamedTuple

from jaxastro.errors import InputError

UNLABELLED = "Unknown"  # the label of an object whose class nobody knows
LABEL_SOURCES = ("spectroscopic", "photometric", "catalogue", "simulated", "none")


NAN = float("nan")  # one object, so that facts without a number are equal


class Survey(NamedTuple):
    """What code and people need to know about one survey."""

    name: str
    kind: str  # of its records, a key of data.record.RECORD_TYPES
    bands: tuple[str, ...]  # record.band indexes this
    wavelength: tuple[float, ...]  # effective, Angstrom, one per band
    classes: tuple[str, ...]  # known labels; UNLABELLED is not a class
    unit: str  # of flux, per pixel where there are images
    citation: str
    pixel_scale: float = NAN  # arcsec per pixel; NaN without images
    image_size: int = 0  # pixels on a side; 0: it varies, or there are no images
    shape: tuple[int, ...] = ()  # y x d of a cutout that is no square, a layer a band
    sentinels: tuple[float, ...] = ()  # pixel values that mean "no measurement"
    valid_range: tuple[float, float] = (float("-inf"), float("inf"))  # of a pixel
    season_days: float = 365.25  # length of the season pattern, for leak checks
    columns: tuple[tuple[str, str], ...] = ()  # further numbers: name and unit


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
        columns=(
            *(("mwebv", "mag"), ("host_separation", "arcsec"), ("host_mag_u", "mag")),
            *(("host_mag_g", "mag"), ("host_mag_r", "mag"), ("host_mag_i", "mag")),
            ("host_mag_z", "mag"),
        ),
    ),
    "hits": Survey(
        name="hits",
        kind="series",
        bands=("g",),
        wavelength=(4730.0,),
        classes=("SN", "EB", "RRLyrae", "NonVariable"),
        pixel_scale=0.27,
        image_size=21,
        unit="ADU",  # no zero point is published with the stamps
        # 0 is the sky beyond the chip's edge: the darkest real sky is 100 ADU.
        sentinels=(-9999.0, 0.0),
        valid_range=(-1000.0, 1e5),  # above DECam's full well; 9.998e7 occurs
        season_days=1.0,  # one campaign of nights: the pattern is within the night
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
            *("SN", "EB", "RRLyrae", "NonVariable"),  # as the real survey says
            *("SNIa", "SNIbc", "SNII", "AGN", "Cepheid", "LongPeriod"),
            *("Asteroid", "Galaxy"),
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
        classes=("rise", "fall", "spiral", "elliptical"),  # two of a data set
        pixel_scale=0.396,
        image_size=22,
        unit="microjansky",
        citation="Simulated by jaxastro: classes that differ in one thing alone.",
    ),
    "asas": Survey(
        name="asas",
        kind="light_curve",
        bands=("V",),
        wavelength=(5450.0,),
        classes=(
            *("Mira", "RRab", "RRc", "DeltaScuti", "BetaCephei", "ACV"),
            *("EB_contact", "EB_semidetached", "EB_detached"),
            "EB_unspecified",  # one of the three above, nobody said which
        ),
        unit="microjansky",
        citation="Pojmanski 2002, Acta Astronomica 52, 397.",
        columns=(  # measured on the light curve by the builder: no catalogue's
            *(("period", "d"), ("period_power", ""), ("log_FAP", "dex")),
            *(("amplitude", "mag"), ("R21", ""), ("phi21", "rad")),
        ),
    ),
    "deep_tao": Survey(
        name="deep_tao",
        kind="series",
        bands=("clear",),  # no filter
        wavelength=(NAN,),
        classes=("AGN", "BZ", "CV", "SN", "OTHER", "NON"),
        pixel_scale=2.5,  # of most stamps; other telescopes of the survey differ
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
        bands=("red", "green", "blue"),  # of the screen; of the sky probably i, r, g
        wavelength=(NAN,) * 3,
        classes=(  # in the order of their numbers in the published file
            *("Artefact", "Dipole", "Saturated Star", "Moving", "Variable"),
            *("Transient", "SN Other", "SN Bronze", "SN Silver", "SN Gold"),
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
            *("BYDra", "CEP", "CEPII", "DSCT", "EA", "EW", "Mira", "RR", "RRc"),
            *("RSCVN", "SR"),
        ),
        unit="microjansky",
        citation="Chen et al. 2020, ApJS 249, 18; Masci et al. 2019, PASP 131, 018003.",
        columns=(
            *(("Per", "d"), ("R21", ""), ("phi21", "rad"), ("T_0", "d, MJD")),
            *(("gmag", "mag"), ("rmag", "mag"), ("Per_g", "d"), ("Per_r", "d")),
            *(("Num_g", ""), ("Num_r", ""), ("R21_g", ""), ("R21_r", "")),
            *(("phi21_g", "rad"), ("phi21_r", "rad"), ("R2_g", ""), ("R2_r", "")),
            *(("Amp_g", "mag"), ("Amp_r", "mag")),
            *(("log_FAP_g", "dex"), ("log_FAP_r", "dex")),
        ),
    ),
    "light_curves": Survey(  # of another survey's images, whose facts these become
        name="light_curves",
        kind="light_curve",
        bands=(),
        wavelength=(),
        classes=(),
        unit="that of the images",
        citation="Photometry by jaxastro on the images of another survey.",
    ),
    "heat_maps": Survey(  # of another survey's light curves, whose facts these become
        name="heat_maps",
        kind="cutout",
        bands=(),
        wavelength=(),
        classes=(),
        unit="that of the light curves",
        citation="Drawn by jaxastro after Qu et al. 2021, arXiv:2106.04370.",
        shape=(32, 180, 2),
    ),
    "image_folder": Survey(  # each folder has its own; these hold where it says nothing
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
            *("SN", "AGN", "VS", "Asteroid", "Bogus", "TDE"),
            *("SNIa", "SNIbc", "SNII"),  # of SN, where it is known
            *("RRLyrae", "Cepheid", "LongPeriod", "EB"),  # of VS
            *("dipole", "cosmic_ray", "column", "ghost", "noise"),  # of Bogus
        ),
        pixel_scale=1.01,
        image_size=63,
        unit="microjansky (stamps: ADU)",
        citation="Bellm et al. 2019, PASP 131, 018002; Masci et al. 2019, 018003.",
        columns=(
            *(("ra", "deg"), ("dec", "deg"), ("magpsf", "mag"), ("sigmapsf", "mag")),
            *(("diffmaglim", "mag"), ("isdiffpos", "1 brighter, -1 fainter")),
            *(("chipsf", ""), ("fwhm", "pix"), ("sky", "adu"), ("scorr", "sigma")),
            *(("classtar", ""), ("rb", ""), ("drb", ""), ("nmtchps", "")),
            *(("sgscore1", ""), ("distpsnr1", "arcsec"), ("sgscore2", "")),
            *(("distpsnr2", "arcsec"), ("sgscore3", ""), ("distpsnr3", "arcsec")),
            *(("ssdistnr", "arcsec"), ("ssmagnr", "mag"), ("distnr", "pix")),
            *(("magnr", "mag"), ("chinr", ""), ("sharpnr", ""), ("ndethist", "")),
            *(("ncovhist", ""), ("nnotdet", ""), ("age", "d"), ("magzpsci", "mag")),
            ("exptime", "s"),
        ),
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
        columns=(
            *(("magpsf", "mag"), ("sigmapsf", "mag"), ("magap", "mag")),
            *(("sigmagap", "mag"), ("magapbig", "mag"), ("sigmagapbig", "mag")),
            *(("diffmaglim", "mag"), ("magdiff", "mag"), ("chipsf", "")),
            *(("fwhm", "pix"), ("seeratio", ""), ("classtar", ""), ("sky", "adu")),
            *(("scorr", ""), ("nneg", ""), ("nbad", ""), ("mindtoedge", "pix")),
            *(("drb", ""), ("new_drb", ""), ("exptime", "s"), ("magzpsci", "mag")),
            *(("distnr", "pix"), ("magnr", "mag"), ("chinr", ""), ("sharpnr", "")),
            *(("sgscore1", ""), ("distpsnr1", "arcsec"), ("srmag1", "mag")),
            *(("sgscore2", ""), ("distpsnr2", "arcsec"), ("srmag2", "mag")),
            *(("nmtchps", ""), ("neargaia", "arcsec"), ("maggaia", "mag")),
            *(("ndethist", ""), ("ncovhist", ""), ("nnotdet", ""), ("age", "d")),
            *(("days_since_peak", "d"), ("days_to_peak", "d")),
            *(("peakmag_so_far", "mag"), ("maxmag_so_far", "mag")),
            *(("ra", "deg"), ("dec", "deg")),
            ("published_split", "0 train, 1 val, 2 test"),
        ),
    ),
    "rubin_alerts": Survey(
        name="rubin_alerts",
        kind="alerts",
        bands=("u", "g", "r", "i", "z", "y"),
        wavelength=(3670.7, 4826.9, 6223.2, 7546.0, 8690.9, 9710.3),
        classes=(),  # the stream has none
        pixel_scale=0.2,
        unit="microjansky",
        citation="Ivezic et al. 2019, ApJ 873, 111.",
        columns=(
            *(("psfFlux", "microjansky"), ("psfFluxErr", "microjansky")),
            *(("apFlux", "microjansky"), ("apFluxErr", "microjansky")),
            *(("scienceFlux", "microjansky"), ("scienceFluxErr", "microjansky")),
            *(("templateFlux", "microjansky"), ("templateFluxErr", "microjansky")),
            *(("snr", ""), ("psfChi2", ""), ("psfNdata", "pix"), ("bboxSize", "pix")),
            *(("extendedness", ""), ("reliability", ""), ("isDipole", "")),
            *(("isNegative", ""), ("isSolarSystem", ""), ("nDiaSources", "")),
            *(("dipoleLength", "arcsec"), ("trailLength", "arcsec")),
            *(("ixx", "arcsec2"), ("iyy", "arcsec2"), ("ixy", "arcsec2")),
            *(("psfFlux_flag", ""), ("shape_flag", ""), ("pixelFlags_cr", "")),
            *(("pixelFlags_edge", ""), ("pixelFlags_saturated", "")),
            *(("pixelFlags_interpolated", ""), ("pixelFlags_streak", "")),
            *(("seeing", "arcsec"), ("templateSeeing", "arcsec")),
            *(("stampRotation", "deg"), ("stampNoise", "microjansky")),
        ),
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
    """Returns the facts of a survey or of a data set of it, or says which there are.

    Args:
        name: "hits", "sdss_sn_sim/laptop", "light_curves/sdss_sn_sim.laptop".
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


DERIVED = {  # survey -> the kind of records that it is made of, and its name
    "light_curves": ("series", "image time series"),
    "heat_maps": ("light_curve", "light curves"),
}


def origin_of(name: str) -> str:
    """Returns the data set, "hits_sim/transfer", that a derived one is made of.

    Args:
        name: "light_curves/hits_sim.transfer", for / in a preset's name is a folder.
    Raises:
        ValueError: if there is no such survey, or it holds records of another kind.
    """
    derived, _, preset = name.partition("/")
    survey, _, rest = preset.partition(".")
    kind, words = DERIVED[derived]
    if survey not in SURVEYS or SURVEYS[survey].kind != kind:
        known = [name for name, facts in SURVEYS.items() if facts.kind == kind]
        raise InputError(
            f"{derived}/{preset}: {survey!r} is no survey of {words}. Those are "
            f"{', '.join(known)}. Write its preset after a dot: "
            "light_curves/sdss_sn_sim.laptop, heat_maps/light_curves.hits."
        )
    return f"{survey}/{rest}" if rest else survey


def derived_of(derived: str, origin: str, facts: Survey) -> Survey:
    """Returns the facts of what was made of another data set.

    Args:
        derived: the survey that it becomes, a key of DERIVED.
        origin: name of the other; its survey becomes part of the name.
        facts: of the other.
    """
    ours = SURVEYS[derived]
    kept = ("bands", "wavelength", "classes", "unit", "season_days", "pixel_scale")
    kept += ("sentinels", "valid_range")  # new images are read by these facts
    return ours._replace(
        name=f"{ours.name}/{_without_preset(origin)}",
        citation=f"{ours.citation} {facts.citation}",
        **{field: getattr(facts, field) for field in kept},
    )


def _without_preset(name: str) -> str:
    """Returns "light_curves.hits_sim" of "light_curves/hits_sim.transfer"."""
    survey = name.partition("/")[0]
    of = f".{_without_preset(origin_of(name))}" if survey in DERIVED else ""
    return survey + of
