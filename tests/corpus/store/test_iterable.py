"""Anything that can be iterated once is counted once, and goes with its object."""

import gc

import numpy as np
import pytest
import scipy.sparse

from tests.corpus.store.texts import texts
from topicfactors import DocumentVectorizer, IterableCorpus
from topicfactors.corpus.store import CountsStore
from topicfactors.errors import ConfigurationError, InputError


def test_a_generator_of_texts():
    vectorizer = DocumentVectorizer()
    corpus = IterableCorpus((text for text in texts(200)), vectorizer=vectorizer, workers=1)
    expected = DocumentVectorizer().fit_transform(texts(200))
    assert isinstance(corpus, CountsStore)
    assert (corpus.shard(0) != expected).nnz == 0
    assert vectorizer.get_feature_names_out().tolist() == expected.feature_names.tolist()
    folder = corpus.folder
    assert folder.exists()
    del corpus
    gc.collect()
    assert not folder.parent.exists()


def test_texts_with_labels_or_columns(tmp_path):
    pairs = zip(texts(40), ["a", "b"] * 20, strict=True)
    assert IterableCorpus(pairs, workers=1).labels(0)[:2] == ["a", "b"]
    rows = ({"text": text, "year": row} for row, text in enumerate(texts(40)))
    corpus = IterableCorpus(rows, columns="year", workers=1, folder=tmp_path / "kept")
    assert corpus.columns(0)["year"] == list(range(40))
    assert CountsStore.open(tmp_path / "kept").shape == corpus.shape


def test_blocks_of_counts():
    rng = np.random.default_rng(0)
    blocks = [scipy.sparse.csr_matrix(rng.poisson(0.5, (7, 5))) for _ in range(4)]
    corpus = IterableCorpus(iter(blocks), shard_documents=10)
    assert corpus.sizes == [10, 10, 8]
    assert (corpus.rows(np.arange(28)) != scipy.sparse.vstack(blocks)).nnz == 0
    labelled = IterableCorpus((block.toarray(), [0, 1, None, 0, 1, 0, 1]) for block in blocks)
    assert labelled.labels(0)[:3] == ["0", "1", None]


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("a text", {}, "got one text"),
        ([np.eye(2), "a text"], {}, "block 1: must be counts"),
        ([("a text", "a"), "a text"], {}, "row 1: must be a pair"),
        ([np.eye(2)], {"vectorizer": DocumentVectorizer()}, "need no vectorizer"),
        ([np.eye(2), np.eye(3)], {}, "from row 2: counts of 3 words, expected 2"),
        ([], {}, "there are no documents"),
        (7, {}, "must be an iterable of texts, got int"),
    ],
)
def test_what_is_refused(source, options, said):
    with pytest.raises((InputError, ConfigurationError), match=said):
        IterableCorpus(source, workers=1, **options)
