"""Books for tests: small EPUB and DOCX files in their true formats."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
XHTML = (
    '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" '
    'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>{title}</title></head><body{type}>{body}</body></html>'
)


def picture(width: int = 60, height: int = 80) -> bytes:
    """Return a PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (180, 40, 40)).save(buffer, "PNG")
    return buffer.getvalue()


def page(body: str, title: str = "", kind: str = "") -> str:
    """Return a page of XHTML; `kind` is the `epub:type` of its body."""
    return XHTML.format(title=escape(title), body=body, type=f' epub:type="{kind}"' if kind else "")


def write_epub(
    path: Path,
    pages: Mapping[str, str],
    toc: Sequence[tuple[str, str]] = (),
    title: str = "A Book",
    is_old: bool = False,
    more: Mapping[str, bytes] | None = None,
) -> Path:
    """Write an EPUB.

    Args:
        pages: by name, in the order of the spine.
        toc: titles and addresses; is_old: as EPUB 2 has them.
        more: further members, by their whole path.
    """
    manifest = [f'<item id="p{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(pages)]
    spine = [f'<itemref idref="p{n}"/>' for n in range(len(pages))]
    manifest.append('<item id="c" href="cover.png" media-type="image/png" properties="cover-image"/>')
    members: dict[str, bytes] = {f"OEBPS/{name}": text.encode() for name, text in pages.items()}
    if toc and is_old:
        points = "".join(
            f"<navPoint><navLabel><text>{escape(name)}</text></navLabel><content src={address!r}/></navPoint>"
            for name, address in toc
        )
        ncx = f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>'
        members["OEBPS/toc.ncx"] = ncx.encode()
        manifest.append('<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>')
    elif toc:
        lines = "".join(f'<li><a href="{address}">{escape(name)}</a></li>' for name, address in toc)
        members["OEBPS/nav.xhtml"] = page(f'<nav epub:type="toc"><ol>{lines}</ol></nav>').encode()
        manifest.append('<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>')
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{escape(title)}</dc:title>'
        "<dc:creator>An Author</dc:creator><dc:language>en</dc:language></metadata>"
        f'<manifest>{"".join(manifest)}</manifest><spine toc="ncx">{"".join(spine)}</spine></package>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        file.writestr("META-INF/container.xml", CONTAINER)
        file.writestr("OEBPS/package.opf", package)
        file.writestr("OEBPS/cover.png", picture())
        for name, data in (members | dict(more or {})).items():
            file.writestr(name, data)
    return path


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def write_docx(path: Path, paragraphs: Sequence[tuple[str, str]], title: str = "") -> Path:
    """Write a DOCX of paragraphs: style ("Heading1", "Title", "" ...) and text."""
    body = "".join(
        f"<w:p><w:pPr>{f'<w:pStyle w:val={style!r}/>' if style else ''}</w:pPr>"
        f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
        for key, name in (("Heading1", "heading 1"), ("Heading2", "heading 2"), ("Title", "Title"))
    )
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{escape(title)}</dc:title>'
        "<dc:creator>A Writer</dc:creator></cp:coreProperties>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", types)
        file.writestr("_rels/.rels", rels)
        file.writestr("word/document.xml", f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>')
        file.writestr("word/styles.xml", f'<w:styles xmlns:w="{WORD}">{styles}</w:styles>')
        file.writestr("docProps/core.xml", core)
    return path


TALE = """CHAPTER I. The Gate

Anna came to the gate in the early morning, and it was shut.
"Is nobody here?" asked Anna. The dog in the yard barked twice.

MILLER: "Who is there at this hour?"

* * *

CHAPTER II. The Mill

"Come in," said Anna, "and be quick about it!" Dr. Brown paid $12.50 at 7:45 and left.
"""
