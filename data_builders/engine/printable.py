"""Makes text from untrusted files safe to print on a terminal."""


def printable(text: object, *, length: int = 300) -> str:
    """Returns the text with control codes escaped, cut to a length.

    Control codes in a raw file could move the cursor, change the window's title or
    reverse the writing direction, and so hide what is printed.
    """
    text = str(text)
    if len(text) > length:
        text = f"{text[:length]}..."
    return "".join(
        letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text
    )
