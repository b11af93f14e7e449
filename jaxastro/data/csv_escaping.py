"""Text of strangers in tables that spreadsheets open."""

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def shown_cell(text: str) -> str:
    """Returns the text so that a spreadsheet shows it and does not run it.

    A cell that begins like a formula gets a quotation mark in front, which a
    spreadsheet hides: an object named =HYPERLINK(...) would call home otherwise.
    """
    return f"'{text}" if _would_run(text) else text


def told_cell(shown: str) -> str:
    """Returns the text of which shown_cell made a cell."""
    text = shown.removeprefix("'")
    return text if _would_run(text) else shown


def _would_run(text: str) -> bool:
    return text.lstrip("'").startswith(STARTS_FORMULA)
