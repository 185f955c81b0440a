"""Lines of files: whatever their encoding or packing, and never a half-read one in silence."""

import bz2
import gzip
import io
import lzma
import sys

import pytest

from topicfactors.corpus.lines import lines_of
from topicfactors.corpus.text import LATIN, UTF16
from topicfactors.errors import InputError

PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("packed", sorted(PACK))
def test_lines_keep_their_ends_and_name_their_encoding(tmp_path, packed):
    path = tmp_path / f"t{packed}"
    path.write_bytes(PACK[packed]("Škoda\n\r\n".encode() + b"caf\xe9\r\nlast\x0cline"))
    assert list(lines_of(str(path))) == [
        ("Škoda\n", None),
        ("\r\n", None),
        ("café\r\n", LATIN),
        ("last\x0cline", None),
    ]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf16_is_decoded_as_a_whole(tmp_path, order):
    path = tmp_path / "t"
    path.write_bytes("\ufeffŠkoda\u0a0a\nlast".encode(order))
    assert list(lines_of(str(path))) == [("Škoda\u0a0a\n", UTF16), ("last", UTF16)]


def test_byte_order_marks_are_those_of_the_first_line(tmp_path):
    (tmp_path / "t").write_bytes(b"\xef\xbb\xbfone\n\xff\xfeabcd\n\xef\xbb\xbftwo\n")
    assert [line for line, _ in lines_of(str(tmp_path / "t"))] == [
        "one\n",
        "ÿþabcd\n",
        "\ufefftwo\n",
    ]


def test_standard_input_has_a_name_in_messages(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\0b\n")))
    with pytest.raises(InputError, match=r"^standard input: is not text"):
        list(lines_of("-"))


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "t").write_bytes(b"")
    assert list(lines_of(str(tmp_path / "t"))) == []


def test_a_hyphen_is_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo")))
    assert [line for line, _ in lines_of("-")] == ["one\n", "two"]


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".xz"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"junk"])
def test_a_damaged_archive_is_an_input_error_that_names_it(tmp_path, packed, damage):
    path = tmp_path / f"t{packed}"
    whole = "".join(f"{number * 7919 % 1009} steam\n" for number in range(20_000)).encode()
    path.write_bytes(damage(PACK[packed](whole)))
    with pytest.raises(InputError, match=rf"t\{packed}: cannot be read to its end"):
        list(lines_of(str(path)))


def test_what_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        next(lines_of(str(tmp_path / "nothing")))
