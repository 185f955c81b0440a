"""The topics of a fitted model as gensim's own models show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import InputError
from topicfactors.values import is_whole, whole

LEAST = 0.01  # gensim's minimum_probability
SMALLEST = 1e-8  # below which gensim never lists a topic


class GensimTopics:
    """What gensim's code asks of a topic model: numbers of topics, ids of words, probabilities.

    ``model.to_gensim()`` makes it. ``CoherenceModel(model=…)`` takes it, and what is written for
    ``LdaModel`` reads it: topics are numbered, words are listed by their probability with the
    topic on, and a bag of words goes in as ``view[bow]``. Nothing of the corpus is copied.

    Attributes
    ----------
    id2word : gensim.corpora.Dictionary
        The columns of the counts, with the document frequencies of the training.
    num_topics, num_terms : int
        Topics D and words V.
    minimum_probability : float
        Topics that are less probable are not listed for a document.
    """

    def __init__(
        self,
        topics: NDArray[np.float32],
        id2word: Any,
        posterior: Callable[[Any], NDArray[np.floating]],
    ) -> None:
        self._topics, self._posterior, self.id2word = topics, posterior, id2word
        self.num_topics, self.num_terms = topics.shape
        self.minimum_probability = LEAST

    def get_topics(self) -> NDArray[np.float32]:
        """Word probabilities of every topic, ``(D, V)``; rows sum to one."""
        return self._topics

    def get_topic_terms(self, topicid: int, topn: int = 10) -> list[tuple[int, float]]:
        """(word id, probability) of the ``topn`` most probable words of topic ``topicid``.

        Raises
        ------
        InputError
            When there is no such topic.
        """
        if not is_whole(topicid) or not 0 <= topicid < self.num_topics:
            raise InputError(
                f"there is no topic {topicid!r}; topics are the numbers 0 to {self.num_topics - 1}"
            )
        whole("topn", topn, 1)
        words = self._topics[topicid]
        return [(int(v), float(words[v])) for v in np.argsort(-words, kind="stable")[:topn]]

    def show_topic(self, topicid: int, topn: int = 10) -> list[tuple[str, float]]:
        """(word, probability) of the ``topn`` most probable words of topic ``topicid``."""
        return [(self.id2word[v], share) for v, share in self.get_topic_terms(topicid, topn)]

    def print_topic(self, topicno: int, topn: int = 10) -> str:
        """``'0.030*"engine" + 0.021*"steam"'``, the ``topn`` best words of topic ``topicno``."""
        return " + ".join(f'{share:.3f}*"{word}"' for word, share in self.show_topic(topicno, topn))

    def show_topics(
        self, num_topics: int = 10, num_words: int = 10, formatted: bool = True
    ) -> list[tuple[int, Any]]:
        """``num_topics`` topics by number, −1 for all, and their ``num_words`` best words.

        ``formatted`` as :meth:`print_topic` has them, else as :meth:`show_topic`.
        """
        whole("num_topics", num_topics, -1)
        shown = self.num_topics if num_topics == -1 else min(num_topics, self.num_topics)
        show = self.print_topic if formatted else self.show_topic
        return [(topic, show(topic, num_words)) for topic in range(shown)]

    def print_topics(self, num_topics: int = 20, num_words: int = 10) -> list[tuple[int, str]]:
        """``show_topics`` as text: ``num_topics`` topics and ``num_words`` words of each."""
        return self.show_topics(num_topics, num_words)

    def get_document_topics(self, bow: Any, minimum_probability: float | None = None) -> Any:
        """(topic, probability) of one bag of words, or a list of such lists of several.

        The probabilities of factors do not sum to one. Topics below ``minimum_probability`` are
        left out; None for that of the view.
        """
        least = self.minimum_probability if minimum_probability is None else minimum_probability
        one = is_bag(bow)
        listed = [
            [(int(d), float(row[d])) for d in np.flatnonzero(row >= max(least, SMALLEST))]
            for row in self._posterior([bow] if one else bow)
        ]
        return listed[0] if one else listed

    def __getitem__(self, bow: Any) -> Any:
        return self.get_document_topics(bow)


def is_bag(bow: Any) -> bool:
    """Is it one document, a list of (word id, count) pairs?

    >>> is_bag([(0, 2.0)]), is_bag([]), is_bag([[(0, 2.0)]])
    (True, True, False)
    """
    return isinstance(bow, list | tuple) and all(
        isinstance(entry, tuple) and len(entry) == 2 and is_whole(entry[0]) for entry in bow
    )


def dictionary_of(
    words: list[str], documents: NDArray[np.float64], tokens: NDArray[np.float64], size: int
) -> Any:
    """A gensim Dictionary whose ids are columns.

    ``documents`` and ``tokens`` ``(V,)`` are of each word, ``size`` the documents of the corpus.

    >>> made = dictionary_of(["steam"], np.array([2.0]), np.array([5.0]), 3)
    >>> made[0], made.doc2bow(["steam", "steam", "comet"]), made.dfs
    ('steam', [(0, 2)], {0: 2})
    """
    from gensim.corpora import Dictionary

    made = Dictionary()
    made.token2id = {word: column for column, word in enumerate(words)}
    made.id2token = dict(enumerate(words))
    made.dfs = {column: int(count) for column, count in enumerate(documents)}
    made.cfs = {column: int(count) for column, count in enumerate(tokens)}
    made.num_docs, made.num_pos = int(size), int(tokens.sum())
    made.num_nnz = int(documents.sum())
    return made
