"""A small corpus, a run fitted to it, and the command line called in this process."""

import random
import shutil
import signal
from typing import NamedTuple

import pytest

from topicfactors.cli.main import main

THEMES = {
    "engines": "engine steam piston boiler valve wheel",
    "clocks": "clock pendulum spring escapement dial hour",
    "baking": "bread flour yeast oven dough crust",
}
FIT = ("-k", "3", "--epochs", "3", "--min-df", "1", "--max-df", "1.0", "--threads", "1")


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


def make_texts(documents=45, seed=0):
    draw = random.Random(seed)
    lists = [words.split() for words in THEMES.values()]
    for number in range(documents):
        own, other = lists[number % 3], lists[(number // 3) % 3]
        yield " ".join(draw.choices(own, k=16) + draw.choices(other, k=6))


@pytest.fixture(autouse=True)
def _signals_as_before():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def call(capsys):
    """Run the command line; its status, stdout and stderr."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Outcome(ended.value.code, out, err)

    return run


@pytest.fixture
def refused(call):
    """Run the command line on a mistake; the status and the one line that it ends with."""

    def run(*arguments):
        outcome = call(*arguments)
        assert outcome.out == ""
        lines = outcome.err.splitlines()
        assert len(lines) == 1, outcome.err
        assert lines[0].startswith("topicfactors: ")
        assert "Traceback" not in outcome.err
        assert "unexpected" not in outcome.err
        return outcome.status, lines[0]

    return run


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A folder of 45 texts in three sub-folders."""
    root = tmp_path_factory.mktemp("cli") / "corpus"
    for number, text in enumerate(make_texts()):
        path = root / list(THEMES)[number % 3] / f"{number:02d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture(scope="session")
def fitted(corpus):
    """A run of that corpus; read only."""
    folder = corpus.parent / "run"
    with pytest.raises(SystemExit) as ended:
        main(["fit", str(corpus), "-o", str(folder), "-q", *FIT])
    assert ended.value.code == 0
    return folder


@pytest.fixture
def run(fitted, tmp_path):
    """A copy of the run that a test may spoil."""
    return shutil.copytree(fitted, tmp_path / "run")
