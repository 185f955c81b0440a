"""The file of --anchors, and the names in everything that a run leaves."""

import csv
import json

import pytest

from tests.cli.conftest import FIT
from topicfactors.cli.anchors import read_anchor_file
from topicfactors.errors import InputError

TOML = 'heat = ["steam", "piston", "-clock"]\n# a comment\ntime = ["dial"]\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("anchors.toml", TOML),
        ("anchors.json", '{"heat": ["steam", "piston", "-clock"], "time": ["dial"]}'),
    ],
)
def test_toml_and_json_say_the_same(name, text, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    assert read_anchor_file(str(path)) == {
        "heat": ["steam", "piston", "-clock"],
        "time": ["dial"],
    }


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.toml", 'x = ["a"]\nsteam = ["engine"\ny = 3\n', r"a\.toml, line 3: not TOML"),
        ("a.toml", 'x = ["a"]\nsteam = "engine"\n', r"a\.toml, line 2: anchors of 'steam'"),
        ("a.toml", 'x = ["a"]\n[steam]\nengine = 1\n', r"a\.toml, line 2: anchors of 'steam'"),
        ("a.toml", '\n7 = ["engine"]\n', r"a\.toml, line 2: the name"),
        ("a.toml", 'x = ["-a"]\n', r"a\.toml, line 1: anchors of 'x' must have a word without"),
        ("a.toml", "# nothing\n", r"a\.toml: no anchors in it"),
        ("a.json", '{\n"x": ["a",}', r"a\.json, line 2: not JSON"),
        ("a.json", '{"y": ["a"],\n "x": [1]}', r"a\.json, line 2: anchors of 'x' must be words"),
        ("a.json", "[1]", r"a\.json: no anchors in it"),
        ("a.toml", b"\xff\xfe", r"a\.toml: cannot be read: not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(name, text, line, tmp_path):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=line):
        read_anchor_file(str(path))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml: cannot be read"):
        read_anchor_file(str(tmp_path / "none.toml"))


def test_no_file_is_no_anchors():
    assert read_anchor_file(None) is None


def test_every_table_has_the_names(call, corpus, tmp_path):
    (tmp_path / "anchors.toml").write_text(TOML)
    run = tmp_path / "run"
    options = ("--anchors", str(tmp_path / "anchors.toml"), "-q", *FIT)
    assert call("fit", str(corpus), "-o", str(run), *options).status == 0
    names = [row["factor"] for row in read(run / "factors.csv")]
    assert sorted(names)[1:] == ["heat", "time"]
    assert sorted(name for name in names if name.isdecimal()) == [
        str(place) for place, name in enumerate(names) if name.isdecimal()
    ]
    assert {row["factor"] for row in read(run / "top_words.csv")} == set(names)
    columns = [name if not name.isdecimal() else f"factor_{name}" for name in names]
    assert [name for name in read(run / "posteriors.csv")[0] if name not in ("id", "label")] == (
        columns
    )
    detailed = json.loads((run / "factors.json").read_text())["factors"]
    assert [str(row["factor"]) for row in detailed] == names
    assert "heat" in (run / "model_card.md").read_text()
    shown = call("topics", str(run)).out
    assert "heat" in shown
    assert "time" in shown
    assert "factor heat" in call("explain", str(run), "steam piston steam boiler").out
    again = call("transform", str(run), str(corpus), "-q")
    assert again.out.splitlines()[0].split(",")[-3:] == columns


def test_the_number_of_factors_can_be_left_to_the_package(call, corpus, tmp_path):
    run = tmp_path / "run"
    options = ("-k", "auto:most=4", *FIT[2:])
    told = call("fit", str(corpus), "-o", str(run), *options)
    assert told.status == 0
    assert "factors needed: evidence" in told.err
    assert 1 <= len(read(run / "factors.csv")) <= 4
    assert 'factors = "auto:most=4"' in (run / "run.toml").read_text()


@pytest.mark.parametrize("number", ["0", "x", "auto:most=x"])
def test_what_is_no_number_of_factors_is_refused(number, call, corpus, tmp_path):
    told = call("fit", str(corpus), "-o", str(tmp_path / "run"), "-k", number)
    assert told.status == 2
    assert "auto" in told.err


def read(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
