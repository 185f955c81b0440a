"""Mistakes about anchors and about a number of factors that is left to the package."""

from __future__ import annotations

from tests.mistakes.happening import Mistake
from tests.mistakes.places import write

FIT = "topicfactors fit notes"
BROKEN = 'heat = ["steam", "piston"\ntime = ["dial"]\n'
UNKNOWN = 'heat = ["steem"]\n'


def _option(title: str, command: str, said: str, file: str = "", text: str = "") -> Mistake:
    prepare = write(file, text) if file else None
    return Mistake("Options", title, f"{FIT} {command}", said, prepare=prepare)


def _python(title: str, arguments: str, said: str) -> Mistake:
    return Mistake("In Python", title, f"BinaryFactorModel({arguments}).fit(counts)", said)


OPTIONS_OF_FACTORS = [
    _option("A most that is no number", "-k auto:most=many", "'auto:most=200'"),
    _option("A number from an exact inference", "-k auto --inference exact", "'truncated'"),
    _option("A number of factors that are coupled", "-k auto --prior boltzmann", "'bernoulli'"),
    _option("Too many units above", "--prior belief-network:units=20", "at most 12"),
    _option("Anchors that are not there", "--anchors a.toml", "a.toml: cannot be read"),
    _option("Anchors that break off", "--anchors a.toml", "a.toml, line 2", "a.toml", BROKEN),
    _option(
        "Anchors that are no words", "--anchors a.json", "a.json, line 1", "a.json", '{"heat": 3}'
    ),
    _option(
        "Anchors that no text has",
        "--anchors a.toml -k 3 -q --min-df 1 --max-df 1.0",
        "did you mean 'steam'?",
        "a.toml",
        UNKNOWN,
    ),
    _option(
        "A relaxation where nothing is encoded",
        "--posterior free --inference gumbel-softmax",
        "use inference='local-expectation'",
    ),
    _option("A slip in a posterior", "--posterior autoregresive", "did you mean 'autoregressive'?"),
    _option("Anchors of no weight", "--anchor-strength 0", "anchor_strength"),
]
FACTORS_IN_PYTHON = [
    _python("A number that is none", '"automatic"', "'auto'"),
    _python("One word for a list", '2, anchors={"heat": "steam"}', "must be a list of words"),
    _python("A name that is a number", '2, anchors={"1": ["0"]}', "not a number"),
    _python("Anchors for a model of one factor", '1, anchors={"a": ["0"], "b": ["1"]}', "ask for"),
]
