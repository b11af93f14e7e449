"""Protects CSV output against formula injection."""

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def escape_cell(text: str) -> str:
    """Returns the text of a cell that a spreadsheet shows but does not run.

    A spreadsheet runs text that begins like a formula: an object named =HYPERLINK(...)
    could send data to its author. Such text gets an apostrophe in front, which a
    spreadsheet does not show.
    """
    return f"'{text}" if _is_formula(text) else text


def unescape_cell(cell: str) -> str:
    """Returns the text of a cell that was escaped."""
    text = cell.removeprefix("'")
    return text if _is_formula(text) else cell


def _is_formula(text: str) -> bool:
    return text.lstrip("'").startswith(STARTS_FORMULA)
