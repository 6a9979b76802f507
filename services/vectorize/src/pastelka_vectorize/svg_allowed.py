"""Allowlist of SVG elements, attributes and values.

Sources: SVG 1.1 (second edition) and SVG 2 for the names; the OWASP cheat sheet on XSS for values.
Deliberately excluded: ``image``, ``foreignObject``, ``filter``, ``pattern``, ``mask`` and ``marker`` (they
load resources, or multiply work), and all animation.
"""

import re

DRAWABLE = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "use", "text"})
CONTAINERS = frozenset({"g", "defs", "clipPath", "linearGradient", "radialGradient", "text", "tspan"})
TEXT_ELEMENTS = frozenset({"title", "desc", "text", "tspan", "style"})
ELEMENTS = DRAWABLE | CONTAINERS | TEXT_ELEMENTS | {"stop"}

HREFS = frozenset({"href", "{http://www.w3.org/1999/xlink}href"})

_PRESENTATION = frozenset(
    {
        "clip-path",
        "clip-rule",
        "color",
        "color-interpolation",
        "cursor",
        "display",
        "fill",
        "fill-opacity",
        "fill-rule",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "letter-spacing",
        "opacity",
        "overflow",
        "paint-order",
        "shape-rendering",
        "stop-color",
        "stop-opacity",
        "stroke",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-miterlimit",
        "stroke-opacity",
        "stroke-width",
        "text-anchor",
        "text-rendering",
        "transform",
        "vector-effect",
        "visibility",
    }
)
_GEOMETRY = frozenset(
    {
        "clipPathUnits",
        "cx",
        "cy",
        "d",
        "dx",
        "dy",
        "fx",
        "fy",
        "fr",
        "gradientTransform",
        "gradientUnits",
        "height",
        "offset",
        "pathLength",
        "points",
        "preserveAspectRatio",
        "r",
        "rotate",
        "rx",
        "ry",
        "spreadMethod",
        "textLength",
        "version",
        "width",
        "x",
        "x1",
        "x2",
        "y",
        "y1",
        "y2",
    }
)
ATTRIBUTES = _PRESENTATION | _GEOMETRY

_NAME = re.compile(r"[A-Za-z_][\w.-]{0,127}", re.ASCII)
_NAMES = re.compile(r"[A-Za-z_][\w.-]{0,127}(?: [A-Za-z_][\w.-]{0,127}){0,15}", re.ASCII)
_FRAGMENT = re.compile(r"\s*#[A-Za-z_][\w.-]{0,127}\s*", re.ASCII)
_LOCAL_PAINT = re.compile(r"""url\(\s*(["']?)#[A-Za-z_][\w.-]{0,127}\1\s*\)""", re.ASCII)
# The lookbehind matches names only at their first letter; otherwise the time is quadratic.
_FUNCTION = re.compile(r"(?<![A-Za-z-])([A-Za-z-]++)\s*+\(")
_FUNCTIONS = frozenset(
    {"rgb", "rgba", "hsl", "hsla", "matrix", "translate", "scale", "rotate", "skewx", "skewy"}
)
_RISKY = re.compile(r"[\\<>{}@;:&]|/\*|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_RISKY_SHEET = re.compile(
    r"[\\<>@()]|/\*|//|behaviou?r|binding|expression|import|script|data:", re.IGNORECASE
)


def allowed_href(value: str) -> bool:
    """Whether ``value`` refers to a part of the same document (``#name``)."""
    return _FRAGMENT.fullmatch(value) is not None


def allowed_value(name: str, value: str) -> str | None:
    """The allowed value of an attribute that is not a reference, or ``None`` to drop it."""
    match name:
        case "id":
            return value if _NAME.fullmatch(value) else None
        case "class":
            words = " ".join(value.split())
            return words if _NAMES.fullmatch(words) else None
        case "style":
            return _style(value)
        case _:
            return value if name in ATTRIBUTES and _is_harmless(value) else None


def allowed_style_sheet(css: str) -> bool:
    """Whether a ``style`` element has only plain rules: no at-rule, function, escape or comment."""
    return _RISKY_SHEET.search(css) is None


def _style(value: str) -> str | None:
    """The allowed declarations of a ``style`` attribute."""
    if re.search(r"[\\<>{}@&]|/\*", value):
        return None
    pairs = (declaration.partition(":") for declaration in value.split(";"))
    kept = [
        f"{name.strip().lower()}:{text.strip()}"
        for name, _, text in pairs
        if name.strip().lower() in _PRESENTATION and text.strip() and _is_harmless(text)
    ]
    return ";".join(kept) or None


def _is_harmless(value: str) -> bool:
    """Whether a value has only color and transform functions, and no external reference."""
    rest = _LOCAL_PAINT.sub("", value)
    if _RISKY.search(rest):
        return False
    return all(match[1].lower() in _FUNCTIONS for match in _FUNCTION.finditer(rest))
