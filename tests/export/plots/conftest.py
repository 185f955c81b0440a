"""Small fitted models of every kind, for the figures."""

import numpy as np
import pytest

from tests.estimators.planted import model, planted
from topicfactors import MixtureModel, SemiSupervisedClassifier

ODD = ["<b>bold</b>", "a&b", "$x$", "<script>"]  # words that a page could take for something else


def words_for(count):
    return [*ODD, *(f"word{number}" for number in range(count - len(ODD)))]


@pytest.fixture(scope="session")
def corpus():
    return planted(documents=200)


@pytest.fixture(scope="session")
def counts(corpus):
    return corpus.counts


@pytest.fixture(scope="session")
def fitted(counts):
    """Of 4 factors, with words that are markup, one factor named so too."""
    options = {"inference": "gumbel-softmax", "anchors": {"<i>own</i>": [ODD[0]]}}
    return model(max_iter=8, validation_fraction=0.1, **options).fit(
        counts, feature_names=words_for(counts.shape[1])
    )


@pytest.fixture(scope="session")
def mixture(counts):
    return MixtureModel(3, random_state=0, n_init=1, n_jobs=1).fit(counts)


@pytest.fixture(scope="session")
def classifier(corpus):
    known = np.where(np.arange(200) < 40, np.where(corpus.truth[:, 0] > 0, "on", "off"), None)
    return SemiSupervisedClassifier(random_state=0, max_iter=3, n_jobs=1).fit(corpus.counts, known)
