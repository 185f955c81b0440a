import pytest

from tests.estimators.planted import model, planted


@pytest.fixture(scope="session")
def corpus():
    return planted()


@pytest.fixture(scope="session")
def exact_model(corpus):
    return model(inference="exact", max_iter=20).fit(corpus.counts)


@pytest.fixture(scope="session")
def relaxed_model(corpus):
    return model(inference="gumbel-softmax", max_iter=40).fit(corpus.counts)
