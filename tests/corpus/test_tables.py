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
    assert corpus.ids == [name or str(row) for row, (name, *_) in enumerate(rows)]
    labels = [label or None for *_, label in rows]
    assert corpus.labels == (labels if any(labels) else None)


def test_a_frame_written_by_pandas_is_read(tmp_path):
    frame = pd.DataFrame({"text": ["steam", None], "label": ["a", None]})
    frame.to_parquet(tmp_path / "t.parquet")
    corpus = read_corpus(tmp_path / "t.parquet")
    assert (list(corpus.texts), corpus.labels) == (["steam", ""], ["a", None])
