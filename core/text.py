"""What comes from outside, as text that can be shown anywhere: literal, on one line, and short."""

from __future__ import annotations

import re

__all__ = ["SHORT", "literal"]

SHORT = 60  # characters of a value that are shown


def literal(value: object, most: int = SHORT) -> str:
    """`value` in backticks, which both a terminal and Markdown show as it is.

    Everything that a sentence takes over from a link, a file, an upload, an evidence card, the
    environment or a caller goes through here, so that it can't become a link, a picture, a formula
    or a page of its own. At most `most` characters are shown, then "…". What can't be seen, such as
    a line's end or a mark that turns the direction of writing, is shown as its escape.
    """
    text = str(value)
    cut = text if len(text) <= most else text[: max(most - 1, 0)] + "…"
    line = "".join(each if each.isprintable() else _escape(each) for each in cut) or "''"
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    # Markdown takes one blank from both ends where both have one, and a backtick joins the fence.
    padded = f" {line} " if line[0] in " `" or line[-1] in " `" else line
    return f"{fence}{padded}{fence}"


def _escape(character: str) -> str:
    """A character that can't be printed, as Python writes it."""
    return character.encode("unicode_escape").decode("ascii")
