"""A survey as if it told some of its further numbers alone."""

from jaxastro.errors import InputError
from jaxastro.surveys import Survey


def survey_with_columns(survey: Survey, names: tuple[str, ...]) -> Survey:
    """Returns the survey's facts with these columns only, in this order.

    Raises:
        ValueError: if the survey has no such column.
    """
    unit = dict(survey.columns)
    for name in names:
        if name not in unit:
            raise InputError(
                f"config.selection.columns has {name!r}. Survey {survey.name} has "
                f"{', '.join(unit) or 'none'}. Choose of these."
            )
        if names.count(name) > 1:
            raise InputError(
                f"config.selection.columns has {name} twice. Name it once."
            )
    return survey._replace(columns=tuple((name, unit[name]) for name in names))


def record_with_columns(record: tuple, names: tuple[str, ...], survey: Survey) -> tuple:
    """Returns the record with these of its numbers, in this order.

    Args:
        survey: with all columns: those that the record's numbers are of.
    """
    known = [name for name, _ in survey.columns]
    places = [known.index(name) for name in names]
    field = "metadata" if "metadata" in record._fields else "features"
    return record._replace(**{field: getattr(record, field)[..., places]})
