"""The code of the README and the docs runs; what they say of the command line is true."""

import re
import shlex
from pathlib import Path

import pytest

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
        writer.writerows([row, text, "news"] for row, text in enumerate(texts[:120]))
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


def options_of_fit() -> dict[str, str]:
    import inspect

    from topicfactors.cli.fit import fit

    names = [
        name for name in inspect.signature(fit).parameters if name not in ("context", "corpus")
    ]
    return {"--" + name.replace("_", "-"): name for name in names}


def test_the_table_of_options_is_true():
    """docs/cli.md maps every option of fit to the parameter that it sets."""
    import inspect

    from topicfactors import BinaryFactorModel, DocumentVectorizer

    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(--[\w-]+)` \| `?([\w.]+|—)`? \|", text, re.M)
    assert {option for option, _ in rows} == set(options_of_fit())
    known = {
        f"{kind.__name__}.{name}"
        for kind in (BinaryFactorModel, DocumentVectorizer)
        for name in inspect.signature(kind).parameters
    }
    for option, parameter in rows:
        assert parameter == "—" or parameter in known, (option, parameter)


def test_the_docs_name_every_inference():
    from topicfactors.gradients import GRADIENTS

    text = (ROOT / "docs" / "choosing-an-inference.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in GRADIENTS)
