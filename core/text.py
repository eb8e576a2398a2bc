"""What comes from outside, as text that can be shown anywhere: literal, on one line, and short."""

from __future__ import annotations

import re

__all__ = ["SHORT", "literal", "shown"]

SHORT = 60  # characters of a value that are shown

_ICON = ":material/"  # Streamlit rewrites the name of an icon in code too, so it is cut
_JOINER = "\u2060"  # in two by a character without width
_LONGEST = 2000  # characters of a sentence
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_MARKUP = re.compile(r"[\\\[\]<>*~$#`]")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s)]+|[\w.+-]+@[\w-]+\.[\w.-]+")


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
    line = line.replace(_ICON, _ICON[0] + _JOINER + _ICON[1:])
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    # Markdown takes one blank from both ends where both have one, and a backtick joins the fence.
    padded = f" {line} " if line[0] in " `" or line[-1] in " `" else line
    return f"{fence}{padded}{fence}"


def shown(sentence: str) -> str:
    """A sentence of `core`, or of a library, as Markdown shows it: what isn't in backticks is text.

    An error's sentence has been through `literal` where it is ours. One of a library, of the
    system or of another server has not, and could hold a link of somebody's making.
    """
    text = " ".join(sentence[:_LONGEST].split())
    done, end = [], 0
    for code in _CODE.finditer(text):
        done += [_plain(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*done, _plain(text[end:])])


def _plain(text: str) -> str:
    """Text without code, in which nothing is markup, an address of the web neither."""
    return _ADDRESS.sub(lambda found: literal(found[0], 120), _MARKUP.sub(r"\\\g<0>", text))


def _escape(character: str) -> str:
    """A character that can't be printed, as Python writes it."""
    return character.encode("unicode_escape").decode("ascii")
