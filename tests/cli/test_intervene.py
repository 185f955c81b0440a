"""``topicfactors intervene``: factors are switched, and the words move."""

import json

import pytest

from tests.cli.conftest import FIT
from topicfactors import load

TEXT = "steam engine piston piston boiler valve valve clock"


def test_it_prints_what_python_says(call, fitted):
    outcome = call("intervene", fitted, "--on", "1", "--off", "0")
    assert outcome.status == 0
    model = load(fitted / "model")[-1]
    assert outcome.out.rstrip("\n") == str(model.intervene(on=1, off=0))


def test_factors_that_are_on_together_are_shown_as_pairs(call, fitted):
    model = load(fitted / "model")[-1]
    out = call("intervene", fitted, "--on", "0", "--on", "2", "-n", "3").out
    assert out.rstrip("\n") == (
        f"{model.intervene(on=[0, 2]).text(3)}\n\n{model.interactions([(0, 2)])}"
    )


def test_json_has_the_same(call, fitted):
    asked = ("intervene", fitted, "--on", "0", "--on", "1", "--off", "2", "--json", "-n", "4")
    found = json.loads(call(*asked).out, parse_constant=pytest.fail)
    model = load(fitted / "model")[-1]
    expected = model.intervene(on=[0, 1], off=2)
    assert found["kl"] == pytest.approx(expected.kl)
    assert [moved["word"] for moved in found["gains"]] == [m.word for m in expected.gains(4)]
    assert [each["factor"] for each in found["switched"]] == [0, 1, 2]
    assert [(p["first"], p["second"]) for p in found["interactions"]] == [(0, 1)]


def test_the_others_may_be_as_a_document_says(call, fitted, corpus):
    pipeline = load(fitted / "model")
    found = pipeline[-1].intervene(on=1, given=pipeline[:-1].transform([TEXT]))
    assert call("intervene", fitted, "--on", "1", "--given", TEXT).out.rstrip("\n") == str(found)
    path = corpus / "clocks" / "01.txt"
    from_file = call("intervene", fitted, "--on", "1", "--given", path).out
    assert "as the document's words say" in from_file
    named = ("--given", corpus, "--id", "clocks/01.txt")
    assert call("intervene", fitted, "--on", "1", *named).out == from_file


def test_components_cannot_be_switched(call, refused, corpus, tmp_path):
    run = tmp_path / "run"
    assert call("fit", corpus, "-o", run, "--model", "mixture", "-q", *FIT).status == 0
    status, line = refused("intervene", run, "--on", "1")
    assert status == 2
    assert "has components, of which a document has one, and no factors to switch" in line


@pytest.mark.parametrize("option", ["--id", "--at", "--text-column", "--id-column"])
def test_what_belongs_to_a_document_needs_one(refused, fitted, option):
    status, line = refused("intervene", fitted, "--on", "1", option, "x=1")
    assert status == 2
    assert "name it with --given" in line
