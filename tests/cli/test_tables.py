"""Tables for the terminal."""

import re

import pytest
from rich.console import Console

from topicfactors.cli import tables
from topicfactors.cli.tables import print_factors, print_lines, print_scores
from topicfactors.export.factors import FactorRow


def row(number, status="active", coherence=None, words=("steam", "engine"), against=("star",)):
    return FactorRow(number, 0.25, 0.2, status, coherence, list(words), list(against), [])


def test_words_are_no_markup(capsys):
    print_factors([row(0, words=["[bold]", "[/red]", "a[b]"])])
    assert "[bold] [/red] a[b]" in capsys.readouterr().out


@pytest.mark.parametrize("coherence", [None, -0.125])
def test_coherence_has_a_column_where_it_is_known(capsys, coherence):
    print_factors([row(0, coherence=coherence), row(1)])
    out = capsys.readouterr().out
    assert ("NPMI" in out) is (coherence is not None)
    assert ("-0.12" in out) is (coherence is not None)
    assert "25.0%" in out


def test_factors_that_tell_nothing_say_so(capsys):
    print_factors([row(0), row(1, "dead"), row(2, "always-on")])
    lines = capsys.readouterr().out.splitlines()
    assert "(" not in lines[1]
    assert "(dead) steam engine" in lines[2]
    assert "(always-on) steam engine" in lines[3]


@pytest.fixture
def terminal(monkeypatch):
    """Make stdout a terminal of some width."""

    def of(width):
        monkeypatch.setattr(
            tables,
            "Console",
            lambda **options: Console(**options, force_terminal=True, width=width),
        )

    return of


def plain_lines(capsys):
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("beside", ["suppressed", "documents", None])
def test_on_a_terminal_no_line_is_wider_and_no_word_is_lost(capsys, terminal, width, beside):
    terminal(width)
    words, against = [f"word{n}" for n in range(30)], [f"other{n}" for n in range(30)]
    one = row(0, coherence=0.1, words=words, against=against)._replace(documents=["doc-1"])
    print_factors([one] * 2, beside=beside)
    lines = plain_lines(capsys)
    found = " ".join(lines).split()
    assert max(map(len, lines)) <= width
    assert sorted(w for w in found if w.startswith("word") and w != "words") == sorted(words * 2)
    shown = [w for w in found if w.startswith("other")]
    assert sorted(shown) == (sorted(against * 2) if beside == "suppressed" and width >= 100 else [])
    assert found.count("doc-1") == (2 if beside == "documents" else 0)


def test_what_is_no_terminal_gets_every_word(capsys):
    words = [f"word{n}" for n in range(200)]
    print_factors([row(0, words=words, against=("last",))])
    (line,) = plain_lines(capsys)[1:]
    assert line.split() == ["0", "25.0%", *words, "last"]


@pytest.mark.parametrize("width", [45, 60, 79, 80, 120])
def test_no_score_is_cut_on_any_terminal(capsys, terminal, width):
    terminal(width)
    numbers = {"per_document": 123456.7, "standard_error": 9.9, "corpus": 234567.8}
    scores = {
        "bound": "truncated",
        "samples": 64,
        "temperatures": 0,
        "nats_per_document": -2871.5,
        "standard_error": 112.3,
        "perplexity": numbers,
        "unigram": numbers,
    }
    print_scores([scores])
    plain = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert plain.count("123456.7") == plain.count("234567.8") == 2
    assert "-2871.5" in plain
    assert ("9.9" in plain) is (width >= 80)


def test_lines_are_broken_between_words_and_their_numbers_kept(capsys, terminal):
    terminal(40)
    print_lines("  for:     engine +1.05 (2×), steam +0.90, piston +0.80")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert len(line) <= 40
        assert not line.endswith(("engine", "steam", "piston"))


def test_words_are_printed_as_they_are(capsys):
    print_lines("factor :cat: [bold]")
    assert capsys.readouterr().out == "factor :cat: [bold]\n"


def test_what_is_no_terminal_has_whole_numbers_whoever_has_the_longest_words(capsys):
    rows = [
        row(0, coherence=0.25, words=["long" * 20], against=("b",)),
        row(1, coherence=0.5, words=["a"], against=("longer" * 20,)),
    ]
    print_factors(rows)
    out = capsys.readouterr().out
    assert "+0.25" in out
    assert "+0.50" in out
