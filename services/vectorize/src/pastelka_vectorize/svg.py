"""Sanitizes a provider's SVG by an allowlist.

The document is parsed once, and a new one is built from allowed parts. Everything not listed in
``pastelka_vectorize.svg_allowed`` is dropped.
"""

from lxml import etree

from pastelka_common.errors import PermanentError
from pastelka_vectorize.svg_allowed import (
    CONTAINERS,
    DRAWABLE,
    ELEMENTS,
    HREFS,
    TEXT_ELEMENTS,
    allowed_href,
    allowed_style_sheet,
    allowed_value,
)
from pastelka_vectorize.svg_size import view_box

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

MAX_BYTES = 32 << 20
MAX_DEPTH = 100
MAX_ELEMENTS = 100_000
"""Maximum elements of a document, and of those repeated by ``use``."""

_DECLARATIONS = ("<!ENTITY", "<!ATTLIST", "<!ELEMENT", "<!NOTATION")
_CODE = "provider_output_invalid"


def clean(svg: bytes) -> bytes:
    """Return a sanitized copy of ``svg`` (UTF-8, with an XML declaration and a ``viewBox``).

    Drops scripts, event handlers, animations, embedded pages and images, external references, foreign
    namespaces, comments, processing instructions, and styles that could load resources. Blocking: run it in a
    thread for large documents.

    Raises ``PermanentError`` (``provider_output_invalid``) if it is not a well-formed UTF-8 SVG document
    without entities, exceeds the limits, or draws nothing.
    """
    root = _parse(svg)
    if root.tag != f"{{{SVG}}}svg":
        raise _invalid("its root element is not an SVG element")
    copy = _copy(root)
    _limit_uses(copy)
    if not _draws(copy):
        raise _invalid("it has no shape to draw")
    _set_view_box(copy, root)
    return etree.tostring(copy, xml_declaration=True, encoding="UTF-8")


def _invalid(reason: str) -> PermanentError:
    return PermanentError(_CODE, f"The SVG cannot be used: {reason}. Retry, or use another page.")


def _parse(svg: bytes) -> etree._Element:
    _check_bytes(svg)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(svg, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise _invalid("it is not well-formed XML") from exc


def _check_bytes(svg: bytes) -> None:
    if len(svg) > MAX_BYTES:
        raise _invalid(f"it has more than {MAX_BYTES >> 20} MB")
    try:
        text = svg.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise _invalid("it is not UTF-8") from exc
    if any(declaration in text for declaration in _DECLARATIONS):
        raise _invalid("it has its own document type definition")
    if "\0" in text:
        raise _invalid("it is not UTF-8")


def _copy(root: etree._Element) -> etree._Element:
    copy = etree.Element(f"{{{SVG}}}svg", nsmap={None: SVG, "xlink": XLINK})
    _copy_attributes(root, copy)
    waiting = [(root, copy, 1)]
    count = 1
    while waiting:
        source, target, depth = waiting.pop()
        for child in source:
            name = _allowed_name(child)
            if name is None:
                continue
            count += 1
            if depth >= MAX_DEPTH or count > MAX_ELEMENTS:
                raise _invalid("it has too many elements, or too deep nesting")
            made = _copy_element(child, name, target)
            if name in CONTAINERS:
                waiting.append((child, made, depth + 1))
    etree.cleanup_namespaces(copy)
    return copy


def _allowed_name(element: etree._Element) -> str | None:
    if not isinstance(element.tag, str):  # an unresolved entity
        return None
    name = element.tag.removeprefix(f"{{{SVG}}}")
    if name not in ELEMENTS or (name == "style" and not allowed_style_sheet(element.text or "")):
        return None
    return name


def _copy_element(element: etree._Element, name: str, target: etree._Element) -> etree._Element:
    made = etree.SubElement(target, f"{{{SVG}}}{name}")
    _copy_attributes(element, made)
    if name in TEXT_ELEMENTS:
        made.text = element.text
        made.tail = element.tail
    return made


def _copy_attributes(source: etree._Element, target: etree._Element) -> None:
    for name, value in source.attrib.items():
        key, text = str(name), str(value)
        if key in HREFS:
            if allowed_href(text):
                target.set(key, text.strip())
        else:
            kept = allowed_value(key, text)
            if kept is not None:
                target.set(key, kept)


def _limit_uses(root: etree._Element) -> None:
    """Drop every ``use`` that refers to a missing or itself using element, or repeats too much.

    Nested ``use`` or clips can multiply into billions of shapes.
    """
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    repeated = 0
    for use in list(root.iter(f"{{{SVG}}}use")):
        target = by_id.get(_target(use))
        names = [] if target is None or repeated > MAX_ELEMENTS else _names(target)
        repeated += len(names)
        if not names or repeated > MAX_ELEMENTS or not {"use", "svg"}.isdisjoint(names):
            _remove(use)
    for clip in root.iter(f"{{{SVG}}}clipPath"):
        for element in clip.iter():
            if "clip-path" in element.attrib:
                del element.attrib["clip-path"]


def _names(element: etree._Element) -> list[str]:
    return [etree.QName(inner).localname for inner in element.iter()]


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _target(use: etree._Element) -> str:
    href = next((use.get(name) for name in HREFS if use.get(name)), None)
    return str(href or "").removeprefix("#")


def _draws(root: etree._Element) -> bool:
    return any(etree.QName(element).localname in DRAWABLE and _is_shown(element) for element in root.iter())


def _is_shown(element: etree._Element) -> bool:
    if etree.QName(element).localname == "path" and not str(element.get("d", "")).strip():
        return False
    hidden = {f"{{{SVG}}}defs", f"{{{SVG}}}clipPath"}
    return not any(ancestor.tag in hidden for ancestor in element.iterancestors())


def _set_view_box(copy: etree._Element, root: etree._Element) -> None:
    box = view_box(root.get("viewBox"), root.get("width"), root.get("height"))
    if box is None:
        raise _invalid("it has neither a viewBox nor a width and a height")
    copy.set("viewBox", box)
