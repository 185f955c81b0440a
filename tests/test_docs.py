"""The code of the README and the docs runs; what they say of the command line is true."""

import re
import shlex
from pathlib import Path

import pytest

from tests.pages import PARAMETERS, cli_page
from topicfactors.cli.main import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.M | re.S)


def blocks(page: Path, language: str) -> list[str]:
    return [
        code for kind, code in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language
    ]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with a small corpus in it, as the pages assume."""
    import csv

    from topicfactors.corpus.samples import lee

    monkeypatch.chdir(tmp_path)
    texts = [document.text for document in lee()]
    (tmp_path / "notes").mkdir()
    for row, text in enumerate(texts[:120]):
        (tmp_path / "notes" / f"{row:03}.txt").write_text(text, encoding="utf-8")
    with (tmp_path / "articles.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "body", "label"])
        labels = ("home", "world", "")  # the last has none
        rows = ([row, text, labels[row % 3]] for row, text in enumerate(texts[:120]))
        writer.writerows(rows)
    anchors = blocks(ROOT / "docs" / "anchors.md", "toml")[0]
    (tmp_path / "anchors.toml").write_text(anchors, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page, workplace):
    namespace: dict[str, object] = {}
    for number, code in enumerate(blocks(page, "python")):
        exec(compile(code, f"{page.name}[{number}]", "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page, workplace, capsys):
    """Lines of ``console`` blocks that start with ``$ topicfactors``, one after the other."""
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ topicfactors"):
                with pytest.raises(SystemExit) as ended:
                    main(shlex.split(line.split("#")[0])[2:])
                assert ended.value.code in (0, None), f"{line}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_page_of_the_command_line_is_made_from_the_code():
    """``python -m tests.pages`` writes it."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == cli_page()


def test_the_table_of_options_is_true():
    """Every option of fit but those that set no parameter has its own, and the other way round."""
    import inspect

    from topicfactors import (
        BinaryFactorModel,
        Checkpoints,
        DocumentVectorizer,
        MixtureModel,
        SemiSupervisedClassifier,
    )
    from topicfactors.cli.fit import fit

    assert set(PARAMETERS) <= set(inspect.signature(fit).parameters)
    known = {
        f"{kind.__name__}.{name}"
        for kind in (
            BinaryFactorModel,
            Checkpoints,
            DocumentVectorizer,
            MixtureModel,
            SemiSupervisedClassifier,
        )
        for name in inspect.signature(kind).parameters
    }
    assert set(PARAMETERS.values()) <= known
    assert len(set(PARAMETERS.values())) == len(PARAMETERS)


def test_the_docs_name_every_inference():
    from topicfactors.gradients import GRADIENTS

    text = (ROOT / "docs" / "choosing-an-inference.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in GRADIENTS)
