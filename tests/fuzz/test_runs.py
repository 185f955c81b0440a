"""Run folders, and the small files that commands take, that somebody has changed."""

import contextlib
import functools
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.guard import guarded
from tests.fuzz.models import TEXTS
from tests.fuzz.settings import few
from tests.fuzz.spoiling import copied, spoiled_bytes, spoiled_tree
from topicfactors.cli import editing, rewriting, runs
from topicfactors.cli.anchors import read_anchor_file
from topicfactors.cli.main import main
from topicfactors.cli.opening import columns_of

_place = tempfile.TemporaryDirectory(prefix="fuzzed-runs")
FILES = ("run.toml", "metrics.json", "factors.json", "posteriors.csv")
SMALL = {
    "anchors.toml": b'steam = ["engine", "-boiler"]\nclocks = ["dial"]\n',
    "anchors.json": b'{"steam": ["engine", "-boiler"]}',
    "names.json": b'{"0": "steam", "1": "clocks"}',
    "names.csv": b"factor,name\n0,steam\n1,clocks\n",
}


def command(*words):
    """The command line, quietly; its status."""
    said = io.StringIO()
    quietly = contextlib.redirect_stderr(said), contextlib.redirect_stdout(said)
    with quietly[0], quietly[1], pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert "Traceback" not in said.getvalue()
    return ended.value.code or 0, said.getvalue()


@functools.cache
def fitted():
    """A run."""
    corpus, folder = Path(_place.name) / "texts.txt", Path(_place.name) / "run"
    corpus.write_text("\n".join(TEXTS), encoding="utf-8")
    few_words = ("--min-df", "1", "--max-df", "1.0", "--threads", "1", "--seed", "0")
    status, said = command(
        "fit", corpus, "-o", folder, "-k", 2, "--epochs", 2, "--quiet", *few_words
    )
    assert status == 0, said
    return folder


def use(folder):
    """Read all that commands read of a run beside its model."""
    run = rewriting.opened(folder)
    assert runs.rows_in(folder, run.model, runs.RANKING, 3)
    assert len(columns_of(folder)) == 4
    runs.remembered(folder, "corpus").get("sha256")
    table = runs.posteriors_in(folder)
    assert table is None or sum(len(block) for block in table.blocks) >= 0
    rewriting.edits_of(run, {"merged": []})


def test_what_nobody_has_changed_is_read():
    use(fitted())
    assert command("topics", fitted())[0] == 0


@few
@given(data=st.data())
def test_a_changed_run(data):
    with copied(fitted()) as folder:
        path = folder / data.draw(st.sampled_from(FILES))
        content = path.read_bytes()
        if path.suffix == ".json" and data.draw(st.booleans()):
            content = json.dumps(data.draw(spoiled_tree(json.loads(content)))).encode()
        else:
            content = data.draw(spoiled_bytes(content))
        path.write_bytes(content)
        with guarded(folder):
            use(folder)


@few
@given(data=st.data())
def test_a_changed_file_of_anchors_or_names(data):
    name = data.draw(st.sampled_from(sorted(SMALL)))
    with copied(None) as folder:
        path = folder / name
        path.write_bytes(data.draw(spoiled_bytes(SMALL[name])))
        with guarded(folder):
            if name.startswith("anchors"):
                read_anchor_file(str(path))
            else:
                list(editing._read(path))


@pytest.mark.parametrize("name", ["factors.json", "metrics.json", "run.toml"])
def test_a_run_that_nests_too_deeply(name):
    with copied(fitted()) as folder:
        (folder / name).write_text("a = " * name.endswith("toml") + "[" * 100_000)
        status, said = command("topics", folder)
        assert status == 0, said
        status, said = command("edit", folder, "-o", folder.parent / "new", "--name", "0=steam")
        assert (status == 0) == (name == "factors.json"), said


def test_a_config_that_nests_too_deeply(tmp_path):
    (tmp_path / "a.toml").write_text("k = " + "[" * 100_000)
    status, said = command("fit", "lee", "-o", tmp_path / "run", "--config", tmp_path / "a.toml")
    assert status == 2, said
    assert "cannot be read as TOML" in said
