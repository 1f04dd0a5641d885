"""Reports: read back by a parser of the standard library; nothing outside the file, nothing of the text as markup."""

import base64
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hebbevo.studies.report import Section, shown, write_report


class Page(HTMLParser):
    """What a browser would load, and every table, heading and paragraph."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.texts: dict[str, list[str]] = {"h1": [], "h2": [], "p": [], "title": [], "style": []}
        self._into: list[str] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [
            str(value) for name, value in attrs if name in ("src", "href", "srcset", "data", "action")
        ]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        self._into = self.tables[-1][-1] if tag in ("th", "td") else self.texts.get(tag)
        if self._into is not None:
            self._into.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td", *self.texts):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data

    @property
    def images(self) -> list[bytes]:
        """The pictures' bytes; fails where one is not a PNG of the standard's form."""
        found = [link for link in self.links if not link.startswith("#")]
        return [
            base64.b64decode(link.removeprefix("data:image/png;base64,"), validate=True) for link in found
        ]


def png(width: int, height: int) -> bytes:
    """Return a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def written(*sections: Section, title: str = "A study") -> Page:
    write_report(Path("report.html"), title, sections)
    return Page(Path("report.html").read_text(encoding="utf-8"))


def test_everything_stands_in_the_file() -> None:
    Path("a_picture.png").write_bytes(png(3, 2))
    rows = [{"body": "intact", "mean": 1.234, "n": 16}, {"body": "lame", "mean": None, "n": 3}]
    page = written(
        Section("One", "First\nparagraph.\n\n\nSecond.", rows, [Path("a_picture.png")]),
        Section("Two", "", [{"x": True}]),
        Section("Three", "Words only."),
    )
    assert page.texts["title"] == page.texts["h1"] == ["A study"]
    assert page.texts["h2"] == ["One", "Two", "Three"]
    assert page.texts["p"] == ["First paragraph.", "Second.", "Words only."]
    assert page.tables == [
        [["body", "mean", "n"], ["intact", "1.23", "16"], ["lame", "–", "3"]],
        [["x"], ["yes"]],
    ]
    assert page.images == [png(3, 2)]


def test_nothing_is_loaded_from_elsewhere() -> None:
    Path("p.png").write_bytes(png(1, 1))
    page = written(Section("One", "x", None, [Path("p.png")]), Section("Two", "y"))
    assert all(link.startswith(("#section-", "data:image/png;base64,")) for link in page.links)
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
    assert "url(" not in page.texts["style"][0]
    assert "@import" not in page.texts["style"][0]


def test_text_is_never_markup() -> None:
    evil = "<script>alert('&amp;')</script>"
    page = written(Section(evil, evil, [{evil: evil}]), title=evil)
    assert "script" not in page.tags
    for texts in (page.texts["h1"], page.texts["h2"], page.texts["p"], page.tables[0][0], page.tables[0][1]):
        assert texts == [evil]


def test_equal_reports_have_equal_bytes() -> None:
    sections = [Section("One", "text", [{"a": 1.5}])]
    write_report(Path("a.html"), "t", sections)
    write_report(Path("b.html"), "t", sections)
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12.3456, "12.35"),
        (0.0, "0.00"),
        (0.01234, "0.01"),
        (0.001234, "0.0012"),
        (-0.5, "-0.50"),
        (3, "3"),
        (False, "no"),
        ("a", "a"),
    ],
)
def test_cells(value: object, expected: str) -> None:
    assert shown(value) == expected
