"""Tables to files and back: streamed in blocks, whole or not at all."""

import json
import math
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.errors import ConfigurationError, InputError, StorageError
from topicfactors.export import tables
from topicfactors.export.tables import EXPORTERS, Table, check_suffix, export_table, read_csv_rows

IDS = [
    "plain",
    'quo"te, comma',
    "line\nbreak",
    "carriage\rreturn",
    "Škoda 東京 😀",
    " space ",
    "a\tb",
]
SUFFIXES = sorted(set(EXPORTERS) - {".md"})  # Markdown is for reading alone


def table(blocks=3):
    rows = [(name, number / 7, number) for number, name in enumerate(IDS)]
    return Table(("id", "value", "whole"), (rows[start::blocks] for start in range(blocks)))


def read(path):
    readers = {
        ".csv": lambda p: pd.read_csv(p, keep_default_na=False, encoding="utf-8"),
        ".json": lambda p: pd.DataFrame(json.loads(p.read_text(encoding="utf-8"))),
        ".jsonl": lambda p: pd.read_json(p, lines=True, dtype=False),
        ".parquet": pd.read_parquet,
    }
    return readers[path.suffix](path)


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pandas_reads_what_was_written(tmp_path, suffix, blocks):
    path = tmp_path / f"t{suffix}"
    export_table(table(blocks), path)
    frame = read(path)
    expected = [row for block in table(blocks).blocks for row in block]
    assert frame.columns.tolist() == ["id", "value", "whole"]
    assert frame["id"].tolist() == [row[0] for row in expected]
    assert frame["whole"].tolist() == [row[2] for row in expected]
    np.testing.assert_allclose(frame["value"], [row[1] for row in expected], rtol=1e-5)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_lines_end_in_a_line_feed_alone(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    export_table(Table(("id",), [[("a",), ("b",)]]), path)
    if suffix != ".parquet":
        assert b"\r" not in path.read_bytes()
        assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_without_rows_has_its_columns(tmp_path, suffix):
    for blocks in ([], [[]], [[], []]):
        path = tmp_path / f"t{suffix}"
        export_table(Table(("id", "value"), blocks), path)
        if suffix == ".jsonl":
            assert path.read_text() == ""
            continue
        frame = read(path)
        assert len(frame) == 0
        if suffix != ".json":
            assert frame.columns.tolist() == ["id", "value"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_blocks_between_others_do_no_harm(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    export_table(Table(("id",), [[], [("a",)], [], [("b",)]]), path)
    assert read(path)["id"].tolist() == ["a", "b"]


def test_markdown_keeps_every_row_and_cell_apart(tmp_path):
    path = tmp_path / "t.md"
    rows = [("a|b", 0.123456789), ("line\nbreak", None), ("back\\slash", ["x", "y"])]
    export_table(Table(("id", "value"), [rows[:1], [], rows[1:]]), path)
    assert path.read_text() == (
        "| id | value |\n|---|---|\n| a\\|b | 0.123457 |\n| line break |  |\n"
        "| back\\\\slash | x y |\n"
    )


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_json_has_no_nan(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    export_table(Table(("a", "b", "c"), [[(math.nan, math.inf, None)]]), path)
    line = path.read_text().strip("[]\n")
    assert json.loads(line, parse_constant=pytest.fail) == {"a": None, "b": None, "c": None}


def test_missing_values_are_empty_cells(tmp_path):
    path = tmp_path / "t.csv"
    export_table(Table(("a", "b", "c"), [[(math.nan, None, ["x", "y"])]]), path)
    assert path.read_text() == "a,b,c\n,,x y\n"


@pytest.mark.parametrize("name", ["t", "t.xlsx", "t.csv.gz", ".csv"])
def test_an_unknown_suffix_lists_the_known_and_nothing_is_written(tmp_path, name):
    for refuse in (check_suffix, lambda path: export_table(table(), path)):
        with pytest.raises(InputError, match=r"must end in one of \.csv, \.json, \.jsonl, \.md, "):
            refuse(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_suffix_may_be_in_capitals(tmp_path):
    export_table(table(), tmp_path / "T.CSV")
    assert (tmp_path / "T.CSV").read_text().startswith("id,value")


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, InputError])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failure_between_blocks_leaves_the_earlier_file_and_no_other(tmp_path, suffix, kind):
    path = tmp_path / f"t{suffix}"
    path.write_bytes(b"earlier")

    def blocks():
        yield [("a", 1.0)]
        raise kind("in the middle")

    with pytest.raises(kind):
        export_table(Table(("id", "value"), blocks()), path)
    assert path.read_bytes() == b"earlier"
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_file_where_a_folder_is_wanted_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be written here"):
        export_table(table(), tmp_path / "file" / "t.csv")


def test_without_pyarrow_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'topicfactors\[parquet\]'"):
        export_table(table(), tmp_path / "t.parquet")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_memory_does_not_grow_with_the_table(tmp_path, suffix):
    def peak(blocks):
        rows = ([(f"document {n}", n / 3) for n in range(200)] for _ in range(blocks))
        tracemalloc.start()
        export_table(Table(("id", "value"), rows), tmp_path / f"{blocks}{suffix}")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1)
    assert peak(60) < 3 * peak(3)


def test_a_table_read_back_is_the_one_written(tmp_path):
    path = tmp_path / "t.csv"
    export_table(table(), path)
    found = read_csv_rows(path, block=2)
    assert found.columns == ["id", "value", "whole"]
    blocks = list(found.blocks)
    assert [len(block) for block in blocks] == [2, 2, 2, 1]
    expected = [row for block in table().blocks for row in block]
    for row, written in zip([row for block in blocks for row in block], expected, strict=True):
        assert row[0] == written[0]
        assert row[1:] == pytest.approx(written[1:], rel=1e-5)


@pytest.mark.parametrize(
    "text",
    ["id,a\nx,one\n", "id,a\nx\n", "id,a\nx,1,2\n", 'id,a\nx,"1\n', "id,a\n\nx,1\n"],
)
def test_a_damaged_table_is_a_storage_error_of_one_line(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(StorageError, match=r"t\.csv.*damaged") as caught:
        list(read_csv_rows(path).blocks)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_no_text_is_a_storage_error(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(StorageError, match="cannot be read"):
        read_csv_rows(path)
    with pytest.raises(StorageError, match="cannot be read"):
        read_csv_rows(tmp_path / "not-there.csv")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
ROWS = st.lists(st.tuples(NAMES, st.floats(allow_nan=False, allow_infinity=False)), max_size=8)


@settings(deadline=None, max_examples=50)
@given(ROWS, st.integers(1, 4))
def test_any_ids_come_back_from_csv(tmp_path_factory, rows, block):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    export_table(Table(("id", "value"), [rows[:3], rows[3:]]), path)
    found = [row for part in read_csv_rows(path, block).blocks for row in part]
    assert [row[0] for row in found] == [name for name, _ in rows]
    assert [row[1] for row in found] == pytest.approx([value for _, value in rows], rel=1e-5)


def test_dump_json_reaches_into_lists_and_dicts():
    text = tables.dump_json({"a": [math.nan, {"b": (-math.inf, 1)}], "c": "é"})
    assert text == '{"a": [null, {"b": [null, 1]}], "c": "é"}'
