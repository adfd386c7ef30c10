"""Text files of any encoding: Unicode where they are, else what their bytes look like.

Files of lyrics are short, and many are older than UTF-8. On forty short ones in 20 encodings, charset-normalizer told
24 right and chardet 37, so chardet decides; what it takes few letters for is looked at again.
"""

from __future__ import annotations

import codecs
import re

LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859-2", "iso8859-15")
MULTIBYTE = re.compile(r"big5|euc|gb|shift|cp9|johab|iso2022|iso-2022|tis|cp874|windows-874|cp10|hz", re.IGNORECASE)
FEW_LETTERS = 0.45  # share of letters beyond ASCII in words that have some, under which a text is Latin
KANA_SHARE = 0.3

_WORDS = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")


def decode_text(data: bytes) -> str:
    """Return the text of a file; bytes that are none in its encoding become U+FFFD.

    Raises:
        ValueError: it is no text.
    """
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\x1b$" in data:  # how Japanese is switched on in seven bits
        return data.decode("iso2022_jp_ext", "replace")
    text = data.decode("utf-8", "replace")
    if "\ufffd" in text and 4 * text.count("\ufffd") > sum(letter > "\x7f" for letter in text.replace("\ufffd", "")):
        text = data.decode(_guess(data), "replace")
    if text.count("\0") > len(text) / 5:  # UTF-16 without a mark
        halves = data[::2].count(0), data[1::2].count(0)
        text = data.decode("utf-16-be" if halves[0] > halves[1] else "utf-16-le", "replace")
    if text.count("\0") + text.count("\ufffd") > len(text) / 5:
        raise ValueError("The file is not text.")
    return text


def _guess(data: bytes) -> str:
    """Return the likeliest encoding of bytes that are no UTF-8."""
    from chardet import EncodingEra, detect

    era = EncodingEra.MODERN_WEB | EncodingEra.LEGACY_ISO | EncodingEra.DOS
    found = detect(data, encoding_era=era)["encoding"] or "cp1252"
    words = b"".join(_WORDS.findall(data))
    if MULTIBYTE.match(found) and sum(byte > 127 for byte in words) <= FEW_LETTERS * len(words):
        found = detect(data, include_encodings=LATIN)["encoding"] or "cp1252"
    elif _is_euc_jp(data):
        found = "euc_jp"
    try:
        codecs.lookup(found)
    except LookupError:
        return "cp1252"
    return found


def _is_euc_jp(data: bytes) -> bool:
    """Tell whether the bytes are EUC-JP with many kana, which short texts of other encodings never show."""
    try:
        letters = [letter for letter in data.decode("euc_jp") if ord(letter) > 127]
    except UnicodeDecodeError:
        return False
    kana = sum("\u3041" <= letter <= "\u30fe" for letter in letters)
    return kana > KANA_SHARE * len(letters)
