"""Every mistake ends with one clear line and the right status, and nothing is lost."""

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.mistakes.happening import happen, row
from tests.mistakes.places import lay_out
from tests.mistakes.table import MISTAKES

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory):
    place = tmp_path_factory.mktemp("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        lay_out(place)
    return place


def contents(place):
    """Every file with a hash of it, and every folder."""
    return {
        path.relative_to(place): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else None
        for path in place.rglob("*")
    }


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.section}: {m.title}")
def test_a_mistake_is_one_clear_line_and_nothing_is_lost(mistake, laid_out, tmp_path, monkeypatch):
    place = tmp_path / "here"
    shutil.copytree(laid_out, place)
    monkeypatch.chdir(place)
    if mistake.prepare is not None:
        mistake.prepare(place)
    before = contents(place)
    with pytest.MonkeyPatch.context() as patch:
        if mistake.patch is not None:
            mistake.patch(patch)
        outcome = happen(mistake)
    assert contents(place) == before
    assert outcome.out == ""
    if outcome.status is not None:
        assert outcome.status == mistake.status, outcome.err
        assert outcome.err == f"topicfactors: {outcome.line}\n"
    else:
        assert "\n" not in outcome.err
    assert mistake.said in outcome.line
    for never in ("Traceback", "unexpected error", "--debug", "<class", "0x7f"):
        assert never not in outcome.line
    assert len(outcome.line) < 400
    shown = outcome.line.replace(str(place), "…")
    assert row(mistake, shown) in PAGE.read_text(encoding="utf-8"), "python -m tests.pages"


def test_there_are_many_of_them_and_no_two_alike():
    assert len(MISTAKES) >= 40
    assert len({(mistake.section, mistake.title) for mistake in MISTAKES}) == len(MISTAKES)
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if " | `" in line]
    assert len(rows) == len(MISTAKES)
