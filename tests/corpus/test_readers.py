"""Corpora from folders, tables, lines and iterables: rows stay, mistakes name their place."""

import bz2
import codecs
import gzip
import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors import read_corpus
from topicfactors.corpus.documents import Document
from topicfactors.corpus.readers import COMPRESSED, READERS, Columns, stream_documents
from topicfactors.errors import InputError


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


TABLE = [
    {"id": "a", "text": 'Steam, and "engines"', "label": "physics", "year": "1712"},
    {"id": "b", "text": "two\nlines\r\nand three", "label": "", "year": "1690"},
    {"id": "", "text": "", "label": "time", "year": ""},
    {"id": "d", "text": "Škoda 東京", "label": "cars", "year": "1895"},
]


def table(suffix):
    frame = pd.DataFrame(TABLE)
    if suffix == ".csv":
        return frame.to_csv(index=False).encode()
    if suffix == ".tsv":
        return frame.to_csv(index=False, sep="\t").encode()
    if suffix == ".parquet":
        return frame.to_parquet(index=False)
    return "".join(json.dumps(row) + "\n" for row in TABLE).encode()


@pytest.mark.parametrize("packed", ["", ".gz", ".bz2"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"])
def test_tables_are_read_packed_or_not(tmp_path, suffix, packed):
    pack = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}[packed]
    path = write(tmp_path / f"t{suffix}{packed}", pack(table(suffix)))
    corpus = read_corpus(path, covariates=["year"])
    assert corpus.ids == ["a", "b", "row 2", "d"]
    assert corpus.labels == ["physics", None, "time", "cars"]
    assert list(corpus.texts) == [row["text"] for row in TABLE]
    assert corpus.covariates == {"year": ["1712", "1690", "", "1895"]}
    assert corpus.problems == [(2, "row 2", "is empty")]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
class TestColumns:
    def test_named_columns_win_over_guesses(self, tmp_path, suffix):
        path = write(tmp_path / f"t{suffix}", table(suffix))
        corpus = read_corpus(path, text_column="label", id_column="year", label_column="id")
        assert corpus.texts[0] == "physics"
        assert corpus.ids == ["1712", "1690", "row 2", "1895"]
        assert corpus.labels == ["a", "b", None, "d"]

    def test_a_missing_column_lists_those_there_are(self, tmp_path, suffix):
        path = write(tmp_path / f"t{suffix}", table(suffix))
        for wanted in ({"text_column": "body"}, {"covariates": ["body"]}, {"id_column": "body"}):
            with pytest.raises(InputError, match=r"no column 'body'; it has 'id', 'text', 'label'"):
                read_corpus(path, **wanted)

    def test_where_no_column_is_a_guess_the_question_lists_them(self, tmp_path, suffix):
        sep = "\t" if suffix == ".tsv" else ","
        data = '{"n": 1, "words": "a"}' if suffix == ".jsonl" else f"n{sep}words\n1{sep}a\n"
        if suffix == ".parquet":
            data = pd.DataFrame({"n": [1], "words": ["a"]}).to_parquet()
        path = write(tmp_path / f"t{suffix}", data)
        with pytest.raises(InputError, match=r"which column holds the text\? Name one of 'n', 'wo"):
            read_corpus(path)


@pytest.mark.parametrize("column", ["Text", " BODY ", "abstract", "anything"])
def test_the_text_column_is_guessed_by_its_name_or_because_it_is_alone(tmp_path, column):
    path = write(tmp_path / "t.csv", f"{column}\nsteam engines\n")
    assert list(read_corpus(path).texts) == ["steam engines"]


class TestSeparated:
    @pytest.mark.parametrize("cells", ["one", "one,two,three"])
    def test_a_ragged_row_names_file_and_line(self, tmp_path, cells):
        path = write(tmp_path / "t.csv", f'id,text\n1,"two\nlines"\n{cells}\n')
        with pytest.raises(InputError, match=r"t\.csv, line 4: \d cells? where the header has 2"):
            read_corpus(path)

    def test_a_quote_left_open_names_the_line_where_its_row_starts(self, tmp_path):
        path = write(tmp_path / "t.csv", 'id,text\n1,one\n2,"two\n3,three\n4,four\n')
        with pytest.raises(InputError, match=r"in the row that starts on line 3: unexpected end"):
            read_corpus(path)

    def test_an_empty_file_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="the file is empty; expected a header"):
            read_corpus(write(tmp_path / "t.csv", ""))

    def test_a_text_longer_than_pythons_limit_is_read(self, tmp_path):
        path = write(tmp_path / "t.csv", "text\n" + "steam " * 40_000 + "\n")
        assert len(read_corpus(path).texts[0]) == 240_000

    def test_only_the_rows_that_were_latin1_are_noted(self, tmp_path):
        rows = b'id,text\n1,"caf\xe9\nna\xefve"\n2,plain\n3,caf\xe9\n'
        corpus = read_corpus(write(tmp_path / "t.csv", rows))
        assert list(corpus.texts) == ["café\nnaïve", "plain", "café"]
        assert corpus.notes == ["2 documents not UTF-8, read as Latin-1 (first: 1)"]

    def test_a_byte_order_mark_is_no_part_of_the_header(self, tmp_path):
        path = write(tmp_path / "t.csv", codecs.BOM_UTF8 + b"text,id\nsteam,x\n")
        assert read_corpus(path).ids == ["x"]

    def test_a_utf16_table_as_excel_saves_it(self, tmp_path):
        path = write(tmp_path / "t.tsv", "id\ttext\r\nx\tŠkoda\r\ny\tmotor\r\n".encode("utf-16"))
        corpus = read_corpus(path)
        assert list(corpus.texts) == ["Škoda", "motor"]
        assert corpus.ids == ["x", "y"]


class TestJSONLines:
    @pytest.mark.parametrize("line", ["{broken", '{"text": ', "[" * 100_000])
    def test_a_broken_line_is_named_by_its_number(self, tmp_path, line):
        path = write(tmp_path / "t.jsonl", '{"text": "a"}\n\n' + line + "\n")
        with pytest.raises(InputError, match=r"t\.jsonl, line 3: not JSON") as caught:
            read_corpus(path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("line", ['["a"]', '"a"', "3", "null"])
    def test_a_line_that_is_no_object_is_named_by_its_number(self, tmp_path, line):
        path = write(tmp_path / "t.jsonl", f'{{"text": "a"}}\n{line}\n')
        with pytest.raises(InputError, match=r"line 2: must be a JSON object"):
            read_corpus(path)

    def test_missing_and_odd_values_are_kept_as_empty_rows(self, tmp_path):
        rows = [{"text": "a", "id": 0}, {"id": 1}, {"text": None}, {"text": 3}, {"text": ["b"]}]
        path = write(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows)))
        corpus = read_corpus(path)
        assert corpus.ids == ["0", "1", "row 2", "row 3", "row 4"]
        assert [p.row for p in corpus.problems] == [1, 2, 3, 4]
        assert corpus.problems[2].reason == "is not a text but 3 (int)"

    def test_halves_of_surrogate_pairs_do_no_harm(self, tmp_path):
        path = write(tmp_path / "t.jsonl", '{"text": "steam \\ud83d", "id": "\\ud83d"}')
        corpus = read_corpus(path)
        "".join([*corpus.texts, *corpus.ids]).encode()


class TestLines:
    def test_each_line_of_a_file_is_a_document(self, tmp_path):
        path = write(tmp_path / "t.txt", "one\r\n\ntwo\u2028still two\nthree")
        corpus = read_corpus(path)
        assert list(corpus.texts) == ["one", "", "two\u2028still two", "three"]
        assert corpus.ids == ["0", "1", "2", "3"]
        assert corpus.problems == [(1, "1", "is empty")]

    @pytest.mark.parametrize("read", [read_corpus, stream_documents])
    def test_standard_input(self, monkeypatch, read):
        stdin(monkeypatch, "steam\ncaf\xe9\n".encode("latin-1"))
        found = read("-")
        texts = list(found.texts) if read is read_corpus else [document.text for document in found]
        assert texts == ["steam", "café"]

    def test_standard_input_may_be_empty(self, monkeypatch):
        stdin(monkeypatch, b"")
        assert len(read_corpus("-")) == 0

    def test_utf16_lines(self, tmp_path):
        path = write(tmp_path / "t.txt", "Škoda\r\nmotor\r\n".encode("utf-16"))
        assert list(read_corpus(path).texts) == ["Škoda", "motor"]


class TestIterables:
    def test_a_generator_is_read_once_in_order(self):
        corpus = read_corpus(text for text in ("one", "two"))
        assert list(corpus.texts) == ["one", "two"]
        assert corpus.ids == ["0", "1"]

    def test_a_series_keeps_its_rows(self):
        values = ["steam", None, float("nan"), 5, pd.NA, "", b"bytes"]
        corpus = read_corpus(pd.Series(values, index=list("abcdefg"), dtype=object))
        assert list(corpus.texts) == ["steam", "", "", "", "", "", ""]
        assert [(p.row, p.reason) for p in corpus.problems] == [
            (1, "is None"),
            (2, "is NaN"),
            (3, "is not a text but 5 (int)"),
            (4, "is missing"),
            (5, "is empty"),
            (6, "is not a text but b'bytes' (bytes)"),
        ]

    def test_a_series_of_strings_with_missing_ones(self):
        corpus = read_corpus(pd.Series(["steam", None], dtype="string"))
        assert [p.row for p in corpus.problems] == [1]

    def test_a_numpy_array(self):
        assert list(read_corpus(np.array(["one", "two"])).texts) == ["one", "two"]

    @pytest.mark.parametrize(
        "source",
        [
            5,
            None,
            1.5,
            b"bytes",
            io.StringIO("a"),
            object(),
            {"a": "b"},
        ],
    )
    def test_other_sources_are_refused(self, source):
        with pytest.raises(InputError, match="must be"):
            read_corpus(source)


class TestDoor:
    @pytest.mark.parametrize("read", [read_corpus, stream_documents])
    @pytest.mark.parametrize("path", ["no/such/thing", "", "nul\0byte", "steam " * 1000])
    def test_a_missing_path_is_refused_in_one_short_line(self, read, path):
        with pytest.raises(InputError, match=r"no such file or folder.*lee, pydocs") as caught:
            read(path)
        assert len(str(caught.value)) < 400

    def test_an_unknown_suffix_lists_the_known(self, tmp_path):
        path = write(tmp_path / "t.docx", "x")
        with pytest.raises(InputError, match="cannot tell how to read this") as caught:
            read_corpus(path)
        assert all(suffix in str(caught.value) for suffix in (*READERS, *COMPRESSED))

    def test_a_file_wins_over_a_sample_of_its_name(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "lee" / "a.txt", "mine")
        assert list(read_corpus("lee").texts) == ["mine"]

    def test_a_question_mark_in_a_name_is_part_of_it(self, tmp_path):
        path = write(tmp_path / "what?.csv", "text\nsteam\n")
        assert list(read_corpus(path).texts) == ["steam"]

    @pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.gz", "t.txt.gz", "t.csv.bz2"])
    def test_a_damaged_archive_names_the_file(self, tmp_path, name):
        rows = np.random.default_rng(0).bytes(20_000).hex().encode()
        pack = bz2.compress if name.endswith("bz2") else gzip.compress
        packed = pack(b'{"text": "a"}\n' + rows)
        for data in (b"junk", packed[: len(packed) // 2]):
            with pytest.raises(InputError, match=name):
                read_corpus(write(tmp_path / name, data))

    def test_a_table_is_streamed_row_by_row(self, tmp_path):
        path = write(tmp_path / "t.csv", "text\none\ntwo\n")
        documents = stream_documents(path, Columns())
        assert next(documents) == Document("one", "0")
        documents.close()


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=80),
    st.sampled_from([".csv", ".tsv", ".jsonl", ".txt", ".csv.gz", ".parquet", ".tar", ".tgz"]),
)
def test_any_bytes_are_read_or_refused(tmp_path_factory, data, suffix):
    path = tmp_path_factory.mktemp("any") / f"t{suffix}"
    path.write_bytes(data)
    try:
        corpus = read_corpus(path)
    except InputError:
        return
    assert len(corpus.texts) == len(corpus.ids)
