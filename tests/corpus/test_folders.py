"""A folder of texts: one file, one document, its sub-folder the label."""

import bz2
import codecs
import gzip
import lzma
import os

import pytest

from topicfactors import read_corpus
from topicfactors.corpus.documents import LazyTexts, Ledger
from topicfactors.corpus.readers import stream_documents
from topicfactors.errors import InputError


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_files_are_sorted_and_subfolders_are_labels(tmp_path):
    write(tmp_path / "b.txt", "bee")
    write(tmp_path / "a.TXT", "ay")
    write(tmp_path / "x" / "y" / "deep", "deep")
    write(tmp_path / "news" / "00001", "no suffix")
    write(tmp_path / "picture.jpg", "not a text")
    corpus = read_corpus(tmp_path)
    assert corpus.ids == ["a.TXT", "b.txt", "news/00001", "x/y/deep"]
    assert corpus.labels == [None, None, "news", "x/y"]
    assert list(corpus.texts) == ["ay", "bee", "no suffix", "deep"]
    assert corpus.notes == ["1 file is no .txt and was not read (first: picture.jpg)"]


def test_hidden_files_and_folders_are_skipped(tmp_path):
    for name in (".DS_Store", ".git/config", "a/.hidden", "a/.b/c.txt", "a/seen.txt"):
        write(tmp_path / name, "text")
    assert read_corpus(str(tmp_path)).ids == ["a/seen.txt"]


def test_a_hidden_folder_given_by_name_is_read(tmp_path):
    write(tmp_path / ".corpus" / "a.txt", "text")
    assert read_corpus(tmp_path / ".corpus").ids == ["a.txt"]


def test_encodings_are_noted_and_lossless(tmp_path):
    write(tmp_path / "1.txt", "naïve café".encode("latin-1"))
    write(tmp_path / "2.txt", codecs.BOM_UTF8 + "Škoda".encode())
    write(tmp_path / "3.txt", "Škoda".encode("utf-16"))
    write(tmp_path / "4.txt", "plain")
    corpus = read_corpus(tmp_path)
    assert list(corpus.texts) == ["naïve café", "Škoda", "Škoda", "plain"]
    assert corpus.notes == [
        "1 document not UTF-8, read as Latin-1 (first: 1.txt)",
        "1 document in UTF-16 (first: 3.txt)",
    ]


def test_binary_and_empty_files_are_kept_as_empty_rows_and_reported(tmp_path):
    write(tmp_path / "a.txt", "text")
    write(tmp_path / "b", b"\x7fELF\0\0\1")
    write(tmp_path / "c.txt", "")
    write(tmp_path / "d.txt", "  \n\n")
    corpus = read_corpus(tmp_path)
    assert list(corpus.texts) == ["text", "", "", ""]
    assert corpus.problems == [
        (1, "b", "is not text (it has NUL bytes)"),
        (2, "c.txt", "is empty"),
        (3, "d.txt", "is empty"),
    ]
    assert corpus.notes == [
        "3 documents are kept as an empty row: row 1 (id b) is not text (it has NUL bytes); "
        "row 2 (id c.txt) is empty; row 3 (id d.txt) is empty"
    ]


@pytest.mark.skipif(os.name == "nt", reason="names are bytes on POSIX alone")
def test_a_name_that_is_not_utf8_becomes_an_id_that_can_be_written(tmp_path):
    name = os.path.join(os.fsencode(tmp_path), "café.txt".encode("latin-1"))
    try:
        with open(name, "wb") as stream:
            stream.write(b"text")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    corpus = read_corpus(tmp_path)
    assert corpus.ids == ["café.txt"]
    assert list(corpus.texts) == ["text"]


@pytest.mark.parametrize("count", [1, 3])
def test_files_that_are_not_read_are_counted(tmp_path, count):
    write(tmp_path / "x.txt", "text")
    for number in range(count):
        write(tmp_path / "sub" / f"{number}.md", "text")
    said = "1 file is" if count == 1 else "3 files are"
    had = "was" if count == 1 else "were"
    expected = [f"{said} no .txt and {had} not read (first: sub/0.md)"]
    assert read_corpus(tmp_path).notes == expected
    ledger = Ledger()
    list(ledger.record(stream_documents(tmp_path)))
    assert ledger.notes() == expected


@pytest.mark.parametrize("pack", [gzip, bz2, lzma])
def test_compressed_texts_are_unpacked(tmp_path, pack):
    suffix = {gzip: ".gz", bz2: ".bz2", lzma: ".xz"}[pack]
    write(tmp_path / "a" / f"1.txt{suffix}", pack.compress("Škoda".encode()))
    write(tmp_path / "a" / f"2.txt{suffix}", b"junk")
    corpus = read_corpus(tmp_path)
    assert (corpus.ids[0], corpus.labels, list(corpus.texts)) == (
        f"a/1.txt{suffix}",
        ["a", "a"],
        ["Škoda", ""],
    )
    assert corpus.problems[0].reason.startswith("cannot be unpacked: ")


def test_texts_stay_on_disk(tmp_path):
    path = write(tmp_path / "a.txt", "before")
    corpus = read_corpus(tmp_path)
    assert isinstance(corpus.texts, LazyTexts)
    path.write_text("after")
    assert list(corpus.texts) == ["after"]


def test_streaming_gives_the_same_documents(tmp_path):
    write(tmp_path / "x" / "a.txt", "one")
    write(tmp_path / "b.txt", "two")
    corpus = read_corpus(tmp_path)
    documents = list(stream_documents(tmp_path))
    assert [d.text for d in documents] == list(corpus.texts)
    assert [d.id for d in documents] == corpus.ids
    assert [d.label for d in documents] == corpus.labels


def test_a_folder_without_texts_is_refused(tmp_path):
    write(tmp_path / "picture.jpg", "x")
    for read in (read_corpus, stream_documents):
        with pytest.raises(InputError, match=r"no texts in this folder; expected files"):
            read(tmp_path)
