"""Facts of a survey as JSON, for data sets with their own facts."""

import json
import math

from jaxastro.errors import InputError
from jaxastro.surveys import NAN, Survey


def survey_to_json(survey: Survey) -> str:
    """Returns the facts as JSON, with the names NaN and Infinity, as Python writes."""
    return json.dumps(survey._asdict(), indent=1)


def survey_from_json(text: str, *, otherwise: Survey) -> Survey:
    """Returns the facts in a JSON text.

    Args:
        text: a JSON object of facts, named like the fields of Survey.
        otherwise: facts that are not in the text.

    Raises:
        InputError: if the text is no JSON, has an unknown name, or a value of a wrong
            type.
    """
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise InputError(f"no JSON: {error}") from error
    unknown = set(facts) - set(Survey._fields) if isinstance(facts, dict) else {text}
    if unknown:
        raise InputError(
            f"A survey has no fact {min(unknown)[:40]!r}. Known: "
            f"{', '.join(Survey._fields)}. Remove or rename it."
        )
    for name, value in facts.items():
        try:
            facts[name] = _as_type_of(getattr(EXAMPLE, name), value)
        except TypeError:
            raise InputError(
                f"{name} is {value!r}, which has the wrong type. An example is "
                f"{json.dumps(getattr(EXAMPLE, name))}. Correct it."
            ) from None
    if "bands" in facts:
        facts.setdefault("wavelength", (NAN,) * len(facts["bands"]))
    survey = otherwise._replace(**facts)
    if len(survey.wavelength) != len(survey.bands) or len(survey.valid_range) != 2:
        raise InputError(
            f"{len(survey.wavelength)} wavelengths for {len(survey.bands)} bands, "
            f"{len(survey.valid_range)} ends of valid_range. One wavelength per band, "
            "in Angstrom, and two ends are expected. Correct it."
        )
    return survey


EXAMPLE = Survey(  # types of all facts; tuples may have any length
    name="my_survey",
    kind="series",
    bands=("g",),
    wavelength=(4730.0,),
    classes=("SN",),
    unit="ADU",
    citation="Somebody 2026",
    pixel_scale=0.27,
    image_size=21,
    shape=(32, 180, 2),
    sentinels=(-9999.0,),
    valid_range=(-1000.0, 1e5),
    season_days=365.25,
    columns=(("period", "days"),),
)


def _as_type_of(example, value):
    if isinstance(example, tuple):
        if not isinstance(value, list):
            raise TypeError
        return tuple(_as_type_of(example[0], item) for item in value)
    if isinstance(value, float) and isinstance(example, float) and math.isnan(value):
        return NAN
    wanted = (int, float) if isinstance(example, float) else type(example)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise TypeError
    return type(example)(value)
