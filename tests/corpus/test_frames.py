"""Tables in memory: the same columns, guesses and messages as files."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from topicfactors import read_corpus
from topicfactors.errors import InputError

ROWS = [
    {"id": "a", "text": "steam", "label": "physics", "year": 1712},
    {"id": "b", "text": None, "label": None, "year": 1690},
    {"id": None, "text": "clocks", "label": "time", "year": 1656},
]


class Dataset:
    """What a data set of Hugging Face's ``datasets`` offers to a reader."""

    def __init__(self, rows, column_names=None):
        self.rows, self.column_names = rows, column_names

    def __iter__(self):
        return iter(self.rows)


class SelectableDataset(Dataset):
    def select_columns(self, names):
        return Dataset([{name: row[name] for name in names} for row in self.rows], names)


class DatasetDict(dict):
    @property
    def column_names(self):
        return {name: split.column_names for name, split in self.items()}


class Frame:
    """What a polars frame offers: names of columns, and columns by name."""

    def __init__(self, rows):
        self.columns = list(rows[0])
        self.cells = {name: [row[name] for row in rows] for name in self.columns}

    def __getitem__(self, name):
        return self.cells[name]


SOURCES = {
    "pandas": pd.DataFrame(ROWS, index=[7, 7, 7]),
    "pandas strings": pd.DataFrame(ROWS).convert_dtypes(),
    "polars": Frame(ROWS),
    "datasets": Dataset(ROWS, list(ROWS[0])),
    "datasets with selection": SelectableDataset(ROWS, list(ROWS[0])),
    "streamed datasets": Dataset(ROWS),
    "dicts": ROWS,
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
class TestTables:
    def test_rows_come_with_their_columns(self, source):
        corpus = read_corpus(source, covariates=["year"])
        assert list(corpus.texts) == ["steam", "", "clocks"]
        assert corpus.ids == ["a", "b", "row 2"]
        assert corpus.labels == ["physics", None, "time"]
        assert corpus.covariates == {"year": [1712, 1690, 1656]}
        assert [(p.row, p.id) for p in corpus.problems] == [(1, "b")]

    def test_named_columns_win_over_guesses(self, source):
        corpus = read_corpus(source, text_column="label", id_column="year", label_column="id")
        assert list(corpus.texts) == ["physics", "", "time"]
        assert corpus.ids == ["1712", "1690", "1656"]
        assert corpus.labels == ["a", "b", None]

    def test_a_missing_column_names_the_type_and_the_columns_there_are(self, source):
        kind = type(source).__name__
        with pytest.raises(
            InputError, match=f"^{kind}(, row 0)?: no column 'body'; it has 'id', 'text'"
        ):
            read_corpus(source, text_column="body")

    def test_strict_names_the_first_row_that_is_no_text(self, source):
        with pytest.raises(InputError, match=r"^row 1 \(id b\) is (None|NaN|missing); mend"):
            read_corpus(source, strict=True)


class TestArrow:
    TABLE = pa.table({"id": [1, None], "text": ["steam", None], "year": [1712, 1690]})

    @pytest.mark.parametrize("source", [TABLE, TABLE.to_batches()[0]], ids=["table", "batch"])
    def test_tables_are_read_by_rows(self, source):
        corpus = read_corpus(source, covariates="year")
        assert (corpus.ids, list(corpus.texts)) == (["1", "row 1"], ["steam", ""])
        assert corpus.covariates == {"year": [1712, 1690]}

    @pytest.mark.parametrize("make", [pa.array, lambda texts: pa.chunked_array([texts, texts])])
    def test_arrays_are_texts(self, make):
        corpus = read_corpus(make(["steam", None]))
        assert list(corpus.texts)[:2] == ["steam", ""]
        assert corpus.problems[0].reason == "is None"

    def test_a_missing_column_names_those_there_are(self):
        with pytest.raises(InputError, match=r"^Table: no column 'body'; it has 'id', 'text', 'ye"):
            read_corpus(self.TABLE, text_column="body")


def test_bytes_of_a_column_are_decoded():
    corpus = read_corpus(pd.DataFrame({"text": ["Škoda".encode(), b"caf\xe9", b"\x7fELF\0"]}))
    assert list(corpus.texts) == ["Škoda", "café", ""]
    assert corpus.problems == [(2, "2", "is not text (it has NUL bytes)")]
    assert corpus.notes[1] == "1 document not UTF-8, read as Latin-1 (first: 1)"


def test_a_generator_of_dicts_is_read_once_in_order():
    corpus = read_corpus(row for row in ROWS)
    assert corpus.ids == ["a", "b", "row 2"]


@pytest.mark.parametrize("nothing", [float("nan"), np.float32("nan"), None, pd.NA, pd.NaT, ""])
def test_labels_and_ids_that_are_missing_are_none(nothing):
    corpus = read_corpus([{"text": "a", "label": nothing, "id": nothing}, {"text": "b"}])
    assert (corpus.labels, corpus.ids) == (None, ["row 0", "row 1"])


def test_the_only_column_is_that_of_the_texts_whatever_its_name():
    assert list(read_corpus(pd.DataFrame({"anything": ["steam"]})).texts) == ["steam"]
    assert list(read_corpus(pd.DataFrame({0: ["steam"]})).texts) == ["steam"]


def test_columns_with_numbers_for_names_can_be_named():
    frame = pd.DataFrame([["x", "steam"], ["y", "clocks"]])
    corpus = read_corpus(frame, text_column=1, id_column=0)
    assert (list(corpus.texts), corpus.ids) == (["steam", "clocks"], ["x", "y"])


def test_a_column_that_is_there_twice_is_refused():
    frame = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(InputError, match=r"DataFrame: 2 columns are named 'text'"):
        read_corpus(frame)


def test_a_data_set_in_splits_names_them():
    splits = DatasetDict(train=Dataset(ROWS, ["text"]), test=Dataset(ROWS, ["text"]))
    with pytest.raises(InputError, match=r"several splits \('train', 'test'\); pass one of them"):
        read_corpus(splits)


def test_a_frame_that_is_not_computed_yet_is_refused():
    class LazyFrame(Frame):
        def collect(self):
            return Frame(ROWS)

    with pytest.raises(InputError, match=r"LazyFrame: not in memory yet; pass what its collect"):
        read_corpus(LazyFrame(ROWS))
    assert len(read_corpus(LazyFrame(ROWS).collect())) == 3


@pytest.mark.parametrize("row", ["steam", None, 3, ["a"]])
def test_a_row_that_is_no_dict_among_dicts_is_named(row):
    with pytest.raises(InputError, match=r'list, row 1: must be a dict such as {"text": "…"}'):
        read_corpus([{"text": "a"}, row])


def test_texts_have_no_columns_to_name():
    with pytest.raises(InputError, match=r"list: no column 'text': these are texts without"):
        read_corpus(["steam"], text_column="text")


@pytest.mark.parametrize("make", [list, tuple, pd.Series, iter, np.array])
def test_columns_of_texts_are_read_as_before(make):
    assert list(read_corpus(make(["steam", "clocks"])).texts) == ["steam", "clocks"]


def test_an_empty_iterable_or_frame_has_no_documents():
    assert len(read_corpus([])) == 0
    assert len(read_corpus(pd.DataFrame({"text": []}))) == 0


class TestRepeatedIds:
    def test_they_are_noted(self):
        corpus = read_corpus([{"id": name, "text": "a"} for name in "xyx"])
        assert corpus.ids == ["x", "y", "x"]
        assert corpus.notes == ["id 'x' comes more than once (rows 0 and 2)"]

    def test_strict_refuses_them_with_both_rows(self):
        with pytest.raises(InputError, match=r"id 'x' comes more than once \(rows 0 and 2\); give"):
            read_corpus([{"id": name, "text": "a"} for name in "xyx"], strict=True)
