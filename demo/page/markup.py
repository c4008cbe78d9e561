"""HTML made of text: only what was built here is markup, every other text is escaped."""

from __future__ import annotations

from html import escape


class Html(str):
    """Markup, to be put on a page as it is."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str) -> Html:
    """An element; its content is escaped where it is no `Html`, its attributes always are.

    An attribute is named as in Python: ``class_``, ``aria_label``. Content of none makes no element.
    """
    inside = joined(*content)
    if not inside and not attributes:
        return Html()
    named = "".join(f' {name.strip("_").replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())
    return Html(f"<{tag}{named}>{inside}</{tag}>")


def joined(*content: str) -> Html:
    """One after the other, each escaped where it is no `Html`."""
    return Html("".join(each if isinstance(each, Html) else escape(each) for each in content))
