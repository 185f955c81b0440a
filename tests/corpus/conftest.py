"""Texts that several tests of words read."""

import pytest

from tests.corpus.vectorizers import spacy_tokens
from topicfactors.corpus.samples import lee


@pytest.fixture(scope="session")
def texts():
    return [document.text for document in lee()][:80]


@pytest.fixture(scope="session")
def tokens(texts):
    return {text: list(spacy_tokens(text)) for text in texts}
