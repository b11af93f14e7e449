"""Text from foreign files, safe to show on a terminal."""


def printable(text: object, *, length: int = 300) -> str:
    """Returns the text with all that is not plain print spelled out, and cut.

    A raw file may hold codes that move the cursor, change the title of the window, or
    turn the direction of writing; seen as they are they could hide what they say.
    """
    text = str(text)
    if len(text) > length:
        text = f"{text[:length]}..."
    return "".join(
        letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text
    )
