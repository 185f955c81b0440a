"""A store that two processes share."""

import pytest

from tests.cli.conftest import make_texts
from topicfactors.corpus.store import prepare
from topicfactors.corpus.vectorizer import DocumentVectorizer


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """Two thousand documents in shards of two hundred."""
    place = tmp_path_factory.mktemp("engine") / "store"
    counting = DocumentVectorizer(min_df=1, max_df=1.0)
    prepare(list(make_texts(2000)), place, vectorizer=counting, shard_documents=200, workers=1)
    return place
