"""Mistakes with the smoothing and the continuous layers of the discrete VAE."""

from __future__ import annotations

from tests.mistakes.happening import Mistake

FIT = "topicfactors fit notes"
LAYERED = 'BinaryFactorModel(2, inference="dvae", continuous_layers=1, max_iter=1).fit(counts)'


def _option(title: str, command: str, said: str) -> Mistake:
    return Mistake("Options", title, f"{FIT} {command}", said)


def _python(title: str, code: str, said: str) -> Mistake:
    return Mistake("In Python", title, code, said)


OPTIONS_OF_SMOOTHING = [
    _option(
        "A smoothing with a slip", "--inference dvae --smoothing powr", "did you mean 'power'?"
    ),
    _option(
        "A smoothing where nothing is smoothed",
        "--inference truncated --smoothing power",
        "inference='dvae'",
    ),
    _option(
        "A smoothing that begins where it is none",
        "--inference dvae:start=0.5 --smoothing power",
        "start must be a number of 1 or more",
    ),
    _option(
        "Continuous layers that are no number",
        "--inference dvae --continuous-layers many",
        "'2:width=20'",
    ),
    _option(
        "Continuous layers over states",
        "--inference truncated --continuous-layers 2",
        "or continuous_layers=0",
    ),
    _option(
        "Continuous layers of a mixture",
        "--model mixture --continuous-layers 2",
        "--continuous-layers is of --model factor",
    ),
]
SMOOTHING_IN_PYTHON = [
    _python(
        "Factors that are counted under continuous layers",
        'BinaryFactorModel("auto", inference="dvae", continuous_layers=1).fit(counts)',
        "use a number of factors",
    ),
    _python(
        "States under continuous layers",
        f"{LAYERED}.states(counts)",
        "fit with continuous_layers=0",
    ),
    _python(
        "An exact score under continuous layers",
        f'{LAYERED}.score_samples(counts, bound="exact")',
        "fit with continuous_layers=0",
    ),
    _python(
        "The smoothed score of a model without",
        'pipeline[-1].score_samples(counts, bound="smoothed-iwae")',
        "use bound='iwae'",
    ),
]
