"""Mistakes about interventions, calibration and interchange."""

from __future__ import annotations

from tests.mistakes.happening import Mistake


def _switch(title: str, options: str, said: str, run: str = "run") -> Mistake:
    return Mistake("Options", title, f"topicfactors intervene {run} {options}", said)


def _python(title: str, code: str, said: str) -> Mistake:
    return Mistake("In Python", title, code, said)


ANSWERS = [
    _switch("An intervention without a factor", "", "needs a factor to switch"),
    _switch("A factor that is not there", "--on 3", "on: there is no factor 3"),
    _switch("A factor both on and off", "--on 1 --off 1", "both on and off"),
    _switch("An id without a corpus", "--on 1 --id 3", "name it with --given"),
    _switch("A text for factors of counts", "--on 1 --given 'a text'", "cannot read", "counted"),
]
ANSWERS_IN_PYTHON = [
    _python(
        "A way to calibrate with a slip",
        "pipeline[-1].calibration(how='simulate')",
        "did you mean 'simulated'?",
    ),
    _python(
        "Held-out words of no documents", "pipeline[-1].calibration(how='held-out')", "pass counts"
    ),
    _python("A pair of one factor", "pipeline[-1].interactions([(1, 1)])", "two different factors"),
    _python(
        "Probabilities of other factors",
        "pipeline[-1].intervene(on=0, given=[0.5])",
        "3 probabilities of the factors",
    ),
    _python(
        "Documents of which nothing is believed",
        "BinaryFactorModel(2, length_tempering=0).fit(counts)",
        "length_tempering must be",
    ),
    _python(
        "A tempering of words that are there or not",
        "BinaryFactorModel(2, likelihood='bernoulli', length_tempering=4).fit(counts)",
        "presence alone",
    ),
    _python("A topic that is not there", "pipeline[-1].to_gensim().show_topic(9)", "no topic 9"),
]
