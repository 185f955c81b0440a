"""A small fitted model and a study of it, each made once."""

import pytest

from tests.estimators.planted import model, planted
from topicfactors import studies

FEW = {
    "documents": 16,
    "draws": 100,
    "warm_up": 20,
    "seconds": 0,
    "evaluations": 2,
    "samples": 4,
}


@pytest.fixture(scope="session")
def corpus():
    return planted(factors=5, documents=120, length=25)


@pytest.fixture(scope="session")
def fitted(corpus):
    return model(5, inference="gumbel-softmax", max_iter=3).fit(corpus.counts)


@pytest.fixture(scope="session")
def study(corpus, fitted):
    """Every estimator that there is."""
    return studies.gradients(fitted, corpus.counts, **FEW)
