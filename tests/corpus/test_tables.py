"""Tables: Parquet in batches, columns found and refused, any table row by row."""

import csv
import gzip
import io
import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors import read_corpus
from topicfactors.corpus.columns import Columns, resolve
from topicfactors.corpus.tables import BATCH, read_parquet
from topicfactors.errors import InputError


def parquet(path, columns, **options):
    pq.write_table(pa.table(columns), path, **options)
    return path


class TestParquet:
    def test_rows_keep_their_order_over_batches_and_row_groups(self, tmp_path):
        texts = [f"text {row}" for row in range(2 * BATCH + 7)]
        path = parquet(tmp_path / "t.parquet", {"text": texts}, row_group_size=700)
        corpus = read_corpus(path)
        assert list(corpus.texts) == texts
        assert corpus.ids == [str(row) for row in range(len(texts))]

    def test_only_the_columns_needed_are_read(self, tmp_path, monkeypatch):
        seen = []
        whole = pq.ParquetFile.iter_batches

        def watched(self, size, columns):
            seen.append(columns)
            return whole(self, size, columns=columns)

        monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
        columns = {"text": ["a"], "picture": [b"0"], "id": ["x"], "year": [1690]}
        read_corpus(parquet(tmp_path / "t.parquet", columns), covariates=["year"])
        assert seen == [["text", "id", "year"]]

    def test_values_that_are_no_text_are_problems_of_their_rows(self, tmp_path):
        path = parquet(tmp_path / "t.parquet", {"text": [1, None], "label": ["a", None]})
        corpus = read_corpus(path)
        assert corpus.problems == [(0, "0", "is not a text but 1 (int)"), (1, "1", "is None")]
        assert corpus.labels == ["a", None]

    def test_categories_and_names_with_dots(self, tmp_path):
        texts = pa.array(["steam", "time", "steam"]).dictionary_encode()
        path = parquet(tmp_path / "t.parquet", {"a": [1, 2, 3], "a.b": texts})
        assert list(read_corpus(path, text_column="a.b").texts) == ["steam", "time", "steam"]

    def test_no_rows(self, tmp_path):
        path = parquet(tmp_path / "t.parquet", {"text": pa.array([], pa.string())})
        assert len(read_corpus(path)) == 0

    def test_what_is_no_parquet_is_refused_in_a_line(self, tmp_path):
        whole = parquet(tmp_path / "t.parquet", {"text": ["steam"] * 100}).read_bytes()
        for data in (b"", b"junk" * 10, whole[:-20], whole[: len(whole) // 2]):
            (tmp_path / "t.parquet").write_bytes(data)
            with pytest.raises(
                InputError, match=r"t\.parquet: no Parquet file, or a dam"
            ) as caught:
                read_corpus(tmp_path / "t.parquet")
            assert "\n" not in str(caught.value)

    def test_a_damaged_compression_is_refused(self, tmp_path):
        packed = gzip.compress(np.random.default_rng(0).bytes(5000))
        (tmp_path / "t.parquet.gz").write_bytes(packed[:2000])
        with pytest.raises(InputError, match=r"t\.parquet\.gz: cannot be read to its end"):
            read_corpus(tmp_path / "t.parquet.gz")

    def test_bytes_that_are_no_text_are_refused(self, tmp_path):
        broken = pa.array([b"caf\xe9"], pa.binary()).view(pa.string())
        with pytest.raises(InputError, match=r"t\.parquet: .*utf-8"):
            read_corpus(parquet(tmp_path / "t.parquet", {"text": broken}))

    def test_without_pyarrow_the_cure_is_named(self, tmp_path, monkeypatch):
        path = parquet(tmp_path / "t.parquet", {"text": ["a"]})
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(InputError, match=r"needs pyarrow: pip install 'topicfactors\[parquet"):
            next(read_parquet(str(path), Columns()))


class TestResolve:
    def test_a_column_that_is_needed_and_there_twice_is_refused(self):
        with pytest.raises(InputError, match=r"t: 2 columns are named 'text'; rename all but one"):
            resolve("t", Columns(), ["text", "text"])

    def test_twins_that_nobody_reads_do_no_harm(self):
        assert resolve("t", Columns(), ["text", "x", "x"]).text == "text"

    def test_no_columns_at_all(self):
        with pytest.raises(InputError, match="there are no columns"):
            resolve("t", Columns(), [])

    def test_names_that_are_no_text_can_be_named(self):
        assert resolve("t", Columns(text=0), [0, 1]).text == 0


class TestSeparators:
    def write(self, folder, text, suffix=".csv"):
        path = folder / f"t{suffix}"
        path.write_bytes(text.encode())
        return path

    @pytest.mark.parametrize(("sign", "name"), [(";", "';'"), ("\t", "tabs")])
    def test_another_one_is_taken_where_the_header_has_no_comma(self, tmp_path, sign, name):
        text = "id;text\n1;steam, engines\n2;clocks\n".replace(";", sign)
        corpus = read_corpus(self.write(tmp_path, text))
        assert (corpus.ids, list(corpus.texts)) == (["1", "2"], ["steam, engines", "clocks"])
        assert corpus.notes == [f"read with {name} between the cells"]

    def test_none_is_guessed_where_the_header_has_a_comma(self, tmp_path):
        corpus = read_corpus(self.write(tmp_path, "id,text;note\n1,a;b\n"), text_column="text;note")
        assert (list(corpus.texts), corpus.notes) == (["a;b"], [])

    def test_tabs_are_usual_where_the_suffix_says_so(self, tmp_path):
        corpus = read_corpus(self.write(tmp_path, "text\nsteam; clocks\n", ".tsv"))
        assert (list(corpus.texts), corpus.notes) == (["steam; clocks"], [])

    def test_a_blank_line_of_one_column_is_an_empty_text(self, tmp_path):
        corpus = read_corpus(self.write(tmp_path, "text\nsteam\n\nclocks\n"))
        assert list(corpus.texts) == ["steam", "", "clocks"]
        two = read_corpus(self.write(tmp_path, "id,text\n1,steam\n\n2,clocks\n"))
        assert list(two.texts) == ["steam", "clocks"]

    def test_lines_of_an_old_mac(self, tmp_path):
        corpus = read_corpus(self.write(tmp_path, 'id,text\r1,"steam\rengine"\r2,clocks\r'))
        assert (corpus.ids, list(corpus.texts)) == (["1", "2"], ["steam\rengine", "clocks"])

    @pytest.mark.parametrize("rows", ["", "\n\n", "1,one\n\n"])
    def test_a_quote_left_open_names_the_line_of_its_own_row(self, tmp_path, rows):
        path = self.write(tmp_path, f'id,text\n{rows}2,"two\n3,three\n')
        with pytest.raises(
            InputError, match=rf"row that starts on line {2 + rows.count(chr(10))}:"
        ):
            read_corpus(path)


class TestNumbersForNames:
    FRAME = pd.DataFrame({"id": [1, None, 3], "label": [1, None, 2], "text": ["a", "b", "c"]})

    def test_whole_ones_with_gaps_are_whole(self, tmp_path):
        parquet(tmp_path / "t.parquet", {name: self.FRAME[name] for name in self.FRAME})
        for source in (self.FRAME, tmp_path / "t.parquet"):
            corpus = read_corpus(source)
            assert (corpus.ids, corpus.labels) == (["1", "row 1", "3"], ["1", None, "2"])
            assert corpus.notes == []  # no id comes twice

    def test_without_ids_rows_are_numbered(self):
        assert read_corpus(self.FRAME[["text"]]).ids == ["0", "1", "2"]


RECORDS = [{"text": "a"}, {"text": "b", "ID": "x", "label": "L"}, {"content": "c", "year": 1}]


@pytest.mark.parametrize("suffix", ["memory", ".jsonl", ".json"])
def test_ids_and_labels_of_later_records_are_found_and_a_missing_text_is_named(tmp_path, suffix):
    source = RECORDS
    if suffix != "memory":
        source = tmp_path / f"t{suffix}"
        lines = "\n".join(map(json.dumps, RECORDS))
        source.write_text(json.dumps(RECORDS) if suffix == ".json" else lines)
    corpus = read_corpus(source)
    assert corpus.ids == ["0", "x", "row 2"]
    assert corpus.labels == [None, "L", None]
    assert corpus.problems == [(2, "row 2", "has no 'text' (it has 'content', 'year')")]


def test_the_record_whose_text_cannot_be_guessed_is_named(tmp_path):
    (tmp_path / "t.jsonl").write_text('\n{"id": "1", "label": null}\n{"text": "b"}\n')
    with pytest.raises(InputError, match=r"t\.jsonl, line 2: which column holds the text\?"):
        read_corpus(tmp_path / "t.jsonl")
    with pytest.raises(InputError, match=r"list, row 0: which column holds the text\?"):
        read_corpus([{"id": "1", "label": None}])


class TestJSON:
    def write(self, folder, text):
        (folder / "t.json").write_text(text)
        return folder / "t.json"

    def test_an_array_of_objects(self, tmp_path):
        corpus = read_corpus(self.write(tmp_path, '[{"id": "x", "text": "steam"}, {"text": null}]'))
        assert (corpus.ids, list(corpus.texts)) == (["x", "row 1"], ["steam", ""])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                '{"text": "a"}\n{"text": "b"}\n',
                r"t\.json: not JSON .*; one object a line is \.jsonl",
            ),
            ('{"text": "a"}', r"must be one JSON array of objects .*got dict.*\.jsonl"),
            ('["a"]', r"t\.json, entry 0: must be a JSON object"),
            ("[{]", r"t\.json: not JSON \(.*at character 3\)"),
            ("", r"t\.json: not JSON"),
        ],
    )
    def test_what_is_none_is_refused(self, tmp_path, text, message):
        with pytest.raises(InputError, match=message) as caught:
            read_corpus(self.write(tmp_path, text))
        assert "\n" not in str(caught.value)

    def test_a_sample_that_was_written_as_json_is_read_again(self, tmp_path):
        from typer.testing import CliRunner

        from topicfactors.cli.main import app

        path = tmp_path / "notes.json"
        assert CliRunner().invoke(app, ["corpora", "revolution", str(path)]).exit_code == 0
        again, sample = read_corpus(path), read_corpus("revolution")
        assert (again.ids, again.labels) == (sample.ids, sample.labels)
        assert list(again.texts) == list(sample.texts)


@pytest.mark.parametrize(
    "data",
    [
        b"id,text\n1,a\n2,b\0\n3,c\n",
        b"1\n2\0\n3\n",
        b'{"text": "a"}\n{"text": "\0"}\n{"text": "c"}',
    ],
)
def test_nul_bytes_are_a_problem_of_their_row(tmp_path, data):
    suffix = {b"i": ".csv", b"1": ".txt", b"{": ".jsonl"}[data[:1]]
    (tmp_path / f"t{suffix}").write_bytes(data)
    corpus = read_corpus(tmp_path / f"t{suffix}")
    assert len(corpus) == 3
    assert [(p.row, p.reason) for p in corpus.problems] == [(1, "is not text (it has NUL bytes)")]


@pytest.mark.parametrize(("name", "data"), [("t.csv", "id,text\n"), ("t.jsonl", ""), ("t.txt", "")])
def test_what_has_no_documents_says_so(tmp_path, name, data):
    (tmp_path / name).write_text(data)
    assert read_corpus(tmp_path / name).notes == ["no documents in it"]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), max_size=6)


def encoded(rows, suffix, line_end):
    """A table of names, texts and labels as bytes."""
    if suffix == ".parquet":
        columns = zip(("name", "text", "label"), range(3), strict=True)
        cells = {name: pa.array([row[at] for row in rows], pa.string()) for name, at in columns}
        stream = io.BytesIO()
        pq.write_table(pa.table(cells), stream)
        return stream.getvalue()
    if suffix == ".jsonl":
        records = ({"name": name, "text": text, "label": label} for name, text, label in rows)
        return "".join(json.dumps(row, ensure_ascii=False) + line_end for row in records).encode()
    text = io.StringIO(newline="")
    delimiter = "\t" if suffix == ".tsv" else ","
    table = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    table.writerows([("name", "text", "label"), *rows])
    return text.getvalue().encode()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@settings(deadline=None, max_examples=50)
@given(rows=ROWS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_any_table_comes_back_row_by_row(tmp_path_factory, suffix, rows, line_end):
    path = tmp_path_factory.mktemp("any") / f"t{suffix}"
    path.write_bytes(encoded(rows, suffix, line_end))
    if suffix == ".jsonl" and not rows:
        assert len(read_corpus(path)) == 0
        return
    corpus = read_corpus(path, id_column="name")
    assert list(corpus.texts) == [text if text.strip() else "" for _, text, _ in rows]
    assert corpus.ids == [name or f"row {row}" for row, (name, *_) in enumerate(rows)]
    labels = [label or None for *_, label in rows]
    assert corpus.labels == (labels if any(labels) else None)


def test_a_frame_written_by_pandas_is_read(tmp_path):
    frame = pd.DataFrame({"text": ["steam", None], "label": ["a", None]})
    frame.to_parquet(tmp_path / "t.parquet")
    corpus = read_corpus(tmp_path / "t.parquet")
    assert (list(corpus.texts), corpus.labels) == (["steam", ""], ["a", None])
