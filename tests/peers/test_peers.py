"""Models of other packages: what they give back is what they have learnt."""

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse

from topicfactors.peers import PEERS
from topicfactors.peers.base import TOP, Given, best, mixed, predicted, spelt_out

WORDS, TOPICS = 24, 3
pytestmark = pytest.mark.filterwarnings("ignore")  # of the packages, as in their process


def blocks(documents, seed):
    """Counts of three themes, eight words each."""
    random = np.random.default_rng(seed)
    rates = np.full((TOPICS, WORDS), 0.05)
    for topic in range(TOPICS):
        rates[topic, 8 * topic : 8 * (topic + 1)] = 2.0
    themes = random.integers(TOPICS, size=documents)
    return scipy.sparse.csr_matrix(random.poisson(rates[themes]).astype(float))


@pytest.fixture(scope="module")
def given():
    train, test = blocks(90, 0), blocks(12, 1)
    return Given(train, [f"w{c}" for c in range(WORDS)], None, None, test, None, 3, 0, 1, "cpu")


def learnt(name, given):
    peer = PEERS[name]
    if not peer.installed():
        pytest.skip(f"{peer.label} is not installed: pip install {' '.join(peer.packages)}")
    return peer.fit(given)


@pytest.mark.parametrize("name", ["sklearn-lda", "sklearn-nmf", "gensim-lda", "tomotopy-lda"])
def test_a_peer_finds_the_themes(name, given, monkeypatch):
    if name == "tomotopy-lda":
        monkeypatch.setattr("topicfactors.peers.tomotopy_lda.SWEEPS", 100)
    found = learnt(name, given)
    themes = {frozenset(np.array(topic[:8]) // 8) for topic in found.topics}
    assert themes == {frozenset([0]), frozenset([1]), frozenset([2])}
    assert all(len(topic) == TOP for topic in found.topics)
    assert np.asarray(found.transform(given.held_out)).shape == (12, TOPICS)


def test_corex_finds_the_themes(given):
    found = learnt("corex", given)
    themes = {frozenset(np.array(topic[:6]) // 8) for topic in found.topics}
    assert themes == {frozenset([0]), frozenset([1]), frozenset([2])}
    assert found.completion is None
    assert np.asarray(found.transform(given.held_out)).shape == (12, TOPICS)


@pytest.mark.parametrize("name", ["sklearn-lda", "gensim-lda", "tomotopy-lda"])
def test_the_completion_of_lda_is_its_mixture_times_its_words(name, given, monkeypatch):
    """Against a plain loop over θ from the seen half and φ."""
    monkeypatch.setattr("topicfactors.peers.tomotopy_lda.SWEEPS", 100)
    kept = {}

    def keeping(words, shares, mean_shares=None):
        kept.update(words=words, shares=mean_shares or shares)
        return mixed(words, shares, mean_shares)

    module = PEERS[name].fit.__module__
    monkeypatch.setattr(f"{module}.mixed", keeping)
    found = learnt(name, given)
    seen = given.held_out.copy()
    seen.data = np.ceil(seen.data / 2)
    unseen = given.held_out - seen
    theta, phi = np.asarray(kept["shares"](seen), float), kept["words"]
    theta, phi = theta / theta.sum(1, keepdims=True), phi / phi.sum(1, keepdims=True)
    total = sum(
        unseen[n, v] * np.log(theta[n] @ phi[:, v]) for n in range(12) for v in range(WORDS)
    )
    completed = found.completion(seen, unseen)
    assert completed == pytest.approx(np.exp(-total / unseen.sum()), rel=1e-5)
    assert completed < 14  # the themes are known, and the unigram has about 24
    if name == "tomotopy-lda":  # one state of its chain is a draw, which differs from the mean
        single = np.asarray(found.transform(seen))
        assert (np.abs(theta - single) > 1e-3).any()


def test_words_of_tomotopy_that_never_came_have_what_the_prior_says(given):
    known = given.counts.copy().tolil()
    known[:, 5] = 0
    known = known.tocsr()
    known.eliminate_zeros()
    tomotopy = pytest.importorskip("tomotopy", reason="pip install tomotopy")
    from topicfactors.peers.tomotopy_lda import _topic_word

    model = tomotopy.LDAModel(k=2, seed=0)
    for words in spelt_out(known):
        model.add_doc(words)
    model.train(20, workers=1)
    found = _topic_word(model, WORDS)
    np.testing.assert_allclose(found[:, 5], model.eta)
    tokens = np.asarray(model.get_count_by_topics()) + WORDS * model.eta
    np.testing.assert_allclose(found.sum(1), tokens, rtol=1e-5)


def test_predictions_are_of_unseen_tokens_whatever_the_block(monkeypatch):
    random = np.random.default_rng(0)
    shares, words = random.dirichlet(np.ones(3), 5), random.dirichlet(np.ones(7), 3)
    unseen = random.poisson(1.0, (5, 7))
    expected = np.exp(-(unseen * np.log(shares @ words)).sum() / unseen.sum())
    matrix = scipy.sparse.csr_matrix(unseen)
    assert predicted(shares, words, matrix) == pytest.approx(expected)
    monkeypatch.setattr("topicfactors.peers.base.BLOCK", 7)
    assert predicted(shares, words, matrix) == pytest.approx(expected)


def test_tokens_are_spelt_out_in_the_order_that_is_known():
    counts = scipy.sparse.csr_matrix([[2, 0, 1], [0, 0, 0], [0, 1, 0]])
    assert spelt_out(counts) == [["0", "0", "2"], [], ["1"]]
    order = [np.array([0, 2, 0]), np.array([], int), np.array([1])]
    given = Given(counts, "abc", order, None, counts, None, 1, 0, 1, "cpu")
    assert given.documents() == [["0", "2", "0"], [], ["1"]]


def test_the_best_words_come_first_and_equal_ones_in_their_order():
    assert best(np.array([[0.1, 0.5, 0.5, 0.2]])) == [[1, 2, 3, 0]]


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_says_what_it_needs(name):
    peer = PEERS[name]
    there = [importlib.util.find_spec(module) is not None for module in peer.modules]
    assert peer.installed() == all(there)
    assert peer.settings
    assert peer.packages


class FakeClusters:
    """A BERTopic that finds four clusters and outliers, and merges when it is told to."""

    def __init__(self, **options):
        self.options = options
        self.found = {-1: [("9", 0.1)], **{t: [(str(t), 0.5), ("", 0.0)] for t in range(4)}}

    def fit(self, documents, embeddings):
        assert len(documents) == len(embeddings)
        assert documents[0].split()[0].isdigit()
        return self

    def get_topics(self):
        return self.found

    def reduce_topics(self, documents, nr_topics):
        self.found = {topic: self.found[topic] for topic in range(-1, nr_topics - 1)}

    def transform(self, documents, embeddings):
        assert len(documents) == len(embeddings)
        return [0] * len(documents), None


@pytest.fixture
def clusters(monkeypatch):
    monkeypatch.setitem(sys.modules, "bertopic", SimpleNamespace(BERTopic=FakeClusters))
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=SimpleNamespace))


def test_bertopic_has_as_many_topics_as_are_asked_for_and_no_outliers(given, clusters):
    found = PEERS["bertopic"].fit(given)
    assert found.topics == [[0], [1], [2]]
    assert found.completion is None
    assert len(found.transform(given.held_out)[0]) == 12
    assert PEERS["bertopic"].fit(given._replace(topics=9)).topics == [[0], [1], [2], [3]]


def test_sentences_are_those_of_the_texts_where_they_are_known(given, clusters, monkeypatch):
    encoded = []

    class Encoder:
        def __init__(self, name, device):
            assert (name, device) == ("all-MiniLM-L6-v2", "cpu")

        def encode(self, texts, show_progress_bar):
            encoded.append(texts)
            return np.zeros((len(texts), 4))

    module = SimpleNamespace(SentenceTransformer=Encoder)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    texts = [f"Text {row}." for row in range(given.counts.shape[0])]
    found = PEERS["bertopic-sentences"].fit(given._replace(texts=texts))
    found.transform(given.held_out)
    assert encoded[0] == texts
    assert encoded[1][0].split()[0] == f"w{given.held_out[0].indices[0]}"
