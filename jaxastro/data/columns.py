"""Selection of columns: survey facts and records with a subset of the columns."""

from jaxastro.data.record import Record
from jaxastro.errors import InputError
from jaxastro.surveys import Survey


def survey_with_columns(survey: Survey, names: tuple[str, ...]) -> Survey:
    """Returns the survey's facts with these columns only, in this order.

    Raises:
        InputError: if the survey has no such column, or one is given twice.
    """
    unit = dict(survey.columns)
    for name in names:
        if name not in unit:
            raise InputError(
                f"config.selection.columns has {name!r}. Survey {survey.name} has "
                f"{', '.join(unit) or 'none'}. Choose from these."
            )
        if names.count(name) > 1:
            raise InputError(
                f"config.selection.columns has {name} twice. Name it once."
            )
    return survey._replace(columns=tuple((name, unit[name]) for name in names))


def record_with_columns(
    record: Record, names: tuple[str, ...], survey: Survey
) -> Record:
    """Returns the record with these columns of metadata or features, in this order.

    Args:
        survey: facts with all columns of the record.
    """
    known = [name for name, _ in survey.columns]
    places = [known.index(name) for name in names]
    field = "metadata" if "metadata" in record._fields else "features"
    return record._replace(**{field: getattr(record, field)[..., places]})
