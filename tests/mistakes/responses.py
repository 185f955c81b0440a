"""Mistakes with the responses of documents."""

from __future__ import annotations

from typing import Any

from tests.mistakes.places import FIT, write

YEARS = "text,year\na steam engine,1712\na pendulum clock,{}\n"
WITH = "--response year --min-df 1 --max-df 1.0 -k 1 -o new -q"
RESPONSES: list[tuple[str, str, str, Any]] = [
    (
        "A response that is no number",
        f"topicfactors fit years.csv {WITH}",
        "row 1 (id 1), column 'year': 'soon' is no finite number",
        write("years.csv", YEARS.format("soon")),
    ),
    (
        "A count below zero",
        f"topicfactors fit years.csv {WITH} --response-family poisson",
        "-3 is below 0",
        write("years.csv", YEARS.format(-3)),
    ),
    (
        "A column of responses with a slip",
        f"topicfactors fit years.csv {WITH.replace('year', 'yaer')}",
        "did you mean 'year'?",
        write("years.csv", YEARS.format(1657)),
    ),
    (
        "A response where there are no columns",
        f"topicfactors fit notes {WITH}",
        "no column 'year' (they have none)",
        None,
    ),
    (
        "A response that nobody knows",
        f"topicfactors fit years.csv {WITH}",
        "is empty in all 2 documents",
        write("years.csv", YEARS.format("").replace("1712", "")),
    ),
    (
        "A response of counts",
        f"topicfactors fit counts.mtx {WITH[:15]} -o new",
        "counts have no columns",
        None,
    ),
    (
        "How a response is drawn, without one",
        f"topicfactors fit notes --response-family poisson -o new {FIT}",
        "name its column with --response",
        None,
    ),
    (
        "A family of responses with a slip",
        f"topicfactors fit notes --response year --response-family gausian -o new {FIT}",
        "did you mean 'gaussian'?",
        None,
    ),
]
IN_PYTHON = [
    (
        "A response too few",
        "BinaryFactorModel(2).fit(counts, response=[1712])",
        "response must be one number for each of",
    ),
    (
        "The response of a model of words alone",
        "pipeline[-1].predict_response(counts)",
        "fitted without a response",
    ),
]
