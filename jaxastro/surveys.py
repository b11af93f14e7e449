"""Facts of each survey: bands, classes, pixel scale, units, citation. No I/O."""

from typing import NamedTuple

UNLABELLED = "Unknown"  # the label of an object whose class nobody knows
LABEL_SOURCES = ("spectroscopic", "photometric", "catalogue", "simulated", "none")


class Survey(NamedTuple):
    """What code and people need to know about one survey."""

    name: str
    kind: str  # of its records, a key of data.kinds.KINDS
    bands: tuple[str, ...]  # record.band indexes this
    wavelength: tuple[float, ...]  # effective, Angstrom, one per band
    classes: tuple[str, ...]  # known labels; UNLABELLED is not a class
    unit: str  # of flux, per pixel where there are images
    citation: str
    pixel_scale: float = float("nan")  # arcsec per pixel; NaN without images
    image_size: int = 0  # pixels on a side; 0: it varies, or there are no images
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
}


def survey_of(name: str) -> Survey:
    """Returns the facts of a survey, or says which surveys there are."""
    if name not in SURVEYS:
        raise ValueError(
            f"No survey named {name!r}. Known surveys: {', '.join(SURVEYS)}. To add "
            "one, describe it in jaxastro/surveys.py and write its builder."
        )
    return SURVEYS[name]
