"""Tables for the terminal."""

import pytest

from topicfactors.cli.tables import escape_words, print_factors
from topicfactors.export.factors import FactorRow


def row(number, status="active", coherence=None, words=("steam", "engine")):
    return FactorRow(number, 0.25, 0.2, status, coherence, list(words))


def test_words_are_no_markup(capsys):
    print_factors([row(0, words=["[bold]", "[/red]", "a[b]"])])
    assert "[bold] [/red] a[b]" in capsys.readouterr().out
    assert escape_words(["plain", "words"]) == "plain words"


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
