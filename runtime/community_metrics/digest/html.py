"""Elements of HTML, written by an XML writer that escapes every text."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

Child = ET.Element | str
_DOCTYPE: Final = "<!doctype html>\n"


def element(tag: str, *children: Child, **attributes: str) -> ET.Element:
    """Return an element; `class_` is the attribute `class`, and `http_equiv` is `http-equiv`."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    made = ET.Element(tag, named)
    last: ET.Element | None = None
    for child in children:
        if isinstance(child, ET.Element):
            made.append(child)
            last = child
        elif last is None:
            made.text = (made.text or "") + child
        else:
            last.tail = (last.tail or "") + child
    return made


def link(text: str, url: str | None, **attributes: str) -> ET.Element:
    """Return a link; the text alone where no address is known."""
    return element("span", text, **attributes) if url is None else element("a", text, href=url, **attributes)


def page(root: ET.Element) -> str:
    """Return a document as text."""
    return f"{_DOCTYPE}{ET.tostring(root, encoding='unicode', method='html')}\n"
