"""Text of strangers in tables that spreadsheets open."""

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def shown_cell(text: str) -> str:
    """Returns the text so that a spreadsheet shows it and does not run it.

    A cell that begins like a formula gets a quotation mark in front, which a
    spreadsheet hides: an object named =HYPERLINK(...) would call home otherwise.
    """
    return f"'{text}" if text.startswith(STARTS_FORMULA) else text


def told_cell(shown: str) -> str:
    """Returns the text of which shown_cell made a cell."""
    text = shown.removeprefix("'")
    return text if text.startswith(STARTS_FORMULA) else shown
