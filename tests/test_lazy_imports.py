"""What is slow to import is imported when it is needed."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "spacy", "gensim", "rich", "typer", "plotly", "sklearn", "scipy", "pandas")


def loaded(code: str) -> set[str]:
    """The modules of HEAVY that a fresh interpreter has after running some code."""
    report = f"{code}\nimport sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )
    return set(result.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_none_of_them():
    assert loaded("import topicfactors") == set()


def test_reading_a_corpus_loads_neither_torch_nor_spacy():
    found = loaded("from topicfactors import read_corpus; read_corpus(['a text'])")
    assert not found & {"torch", "spacy", "gensim", "rich", "typer", "sklearn"}


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["--version"]])
def test_help_needs_no_model(arguments):
    code = f"""
import contextlib, io
from topicfactors.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main({arguments!r})
print()
"""
    assert not loaded(code) & {"torch", "spacy", "gensim", "sklearn", "scipy"}


def test_workers_that_tokenise_do_not_load_torch():
    assert "torch" not in loaded("import topicfactors.corpus.tokenizers")
