"""What people are used to from gensim and pyLDAvis, of every fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.gensim_topics import LEAST, GensimTopics, dictionary_of, is_bag
from topicfactors.estimators.labelling import LabellingMixin
from topicfactors.estimators.wording import RANKING
from topicfactors.insight.topics import Factors
from topicfactors.values import is_whole


class ListingMixin(LabellingMixin):
    """show_topics, get_topics, get_document_topics, to_gensim, prepare_ldavis."""

    document_frequency_: NDArray[np.float64]
    word_totals_: NDArray[np.float64]
    n_documents_: int

    def show_topics(
        self,
        num_topics: int = 10,
        num_words: int = 10,
        *,
        formatted: bool = True,
        ranking: str = RANKING,
    ) -> list[tuple[int | str, Any]]:
        """Topics and their words as gensim shows them; the most prevalent topics first.

        They are the factors, the components of a mixture, or the classes of a classifier.

        Parameters
        ----------
        num_topics
            So many topics; −1 for all.
        num_words
            Words a topic.
        formatted
            ``'2.104*"engine" + 1.870*"steam"'``, else a list of (word, score).
        ranking
            As for :meth:`top_words`, which gives the scores.

        Raises
        ------
        ConfigurationError
            When ``num_topics`` is neither, or there is no such ranking.
        """
        if not is_whole(num_topics) or num_topics < -1:
            raise ConfigurationError(
                f"num_topics must be -1 or a whole number of 0 or more, got {num_topics!r}"
            )
        words, called = self._topic_words(num_words, ranking), self._called()
        order = np.argsort(-self._topics().prevalence, kind="stable").tolist()
        chosen = order if num_topics == -1 else order[:num_topics]
        if not formatted:
            return [(called[topic], words[topic]) for topic in chosen]
        return [
            (called[topic], " + ".join(f'{score:.3f}*"{word}"' for word, score in words[topic]))
            for topic in chosen
        ]

    def get_topics(self) -> NDArray[np.float32]:
        """Word probabilities of each factor, component or class, ``(D, V)``; rows sum to one."""
        words = self._topics().on.astype(np.float32)
        return np.asarray(words / words.sum(1, keepdims=True))

    def get_document_topics(
        self, bow: Any, minimum_probability: float = LEAST, *, covariates: Any = None
    ) -> Any:
        """Topics and their probabilities, as gensim lists them.

        Parameters
        ----------
        bow
            One document as a list of (word id, count), or several: a bag-of-words stream, or counts
            ``(N, V)``.
        minimum_probability
            Leave out topics that are less probable.
        covariates
            A row for each document, where the model was fitted with covariates.

        Returns
        -------
        list
            Of (factor, P(on | document)) for one document, else such a list for each. The
            probabilities of factors do not sum to one; those of components or classes do.
        """
        one = is_bag(bow)
        X = [bow] if one else bow
        found, called = self._topics_of(X, covariates), self._called()
        listed = [
            [(called[d], float(row[d])) for d in np.flatnonzero(row >= minimum_probability)]
            for row in found
        ]
        return listed[0] if one else listed

    def to_gensim(self) -> GensimTopics:
        """The topics as gensim's models have them, for code that is written for those.

        Topics are numbered, and words are ranked by their probability with the topic on;
        ``CoherenceModel(model=model.to_gensim(), …)`` reads them so. For the words of
        :meth:`top_words` give it their lists as ``topics=``.
        """
        known = (self.document_frequency_, self.word_totals_, self.n_documents_)
        words = self._words().tolist()
        return GensimTopics(
            self.get_topics(), dictionary_of(words, *known), lambda X: self._topics_of(X, None)
        )

    def prepare_ldavis(self, X: Any, *, covariates: Any = None) -> dict[str, Any]:
        """What ``pyLDAvis.prepare(**…)`` wants, of some documents.

        pyLDAvis draws topics that share out a document, so the probabilities of each document are
        made to sum to one (alike where all are zero); documents without words are left out.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.

        Raises
        ------
        InputError
            When no document has words.
        """
        counts = self._observed(X, covariates)
        counts = counts[np.flatnonzero(np.asarray(counts.sum(axis=1)).ravel() > 0)]
        if counts.shape[0] == 0:
            raise InputError("X has no document with words; expected at least one to draw")
        found = self._topics_of(counts, None).astype(np.float64) + 1e-12
        topics = self.get_topics().astype(np.float64)
        return {
            "topic_term_dists": topics / topics.sum(1, keepdims=True),
            "doc_topic_dists": found / found.sum(1, keepdims=True),
            "doc_lengths": np.asarray(counts.sum(axis=1)).ravel(),
            "vocab": self._words().tolist(),
            "term_frequency": np.asarray(counts.sum(axis=0)).ravel(),
        }

    def _topics(self) -> Factors:
        """What is listed."""
        return self.factors()

    def _topic_words(self, n_words: int, ranking: str) -> list[list[tuple[str, float]]]:
        """The words that stand for each topic, best first."""
        return self.top_words(n_words, ranking=ranking)

    def _called(self) -> list[int | str]:
        """The number or name of each topic."""
        raise NotImplementedError

    def _topics_of(self, X: Any, covariates: Any) -> NDArray[np.floating]:
        """Probabilities of the topics of each document, ``(N, D)``."""
        raise NotImplementedError


def probabilities_frame(
    found: NDArray[np.floating], ids: Sequence[Any] | None, columns: list[str]
) -> Any:
    """A data frame of probabilities ``(N, D)`` whose rows are called ``ids``.

    Raises
    ------
    InputError
        When there is not one id for each row.
    ConfigurationError
        When pandas is not installed.
    """
    frames = pandas_module()
    if ids is not None and len(ids) != len(found):
        raise InputError(f"ids must name each of the {len(found)} rows of X, got {len(ids)}")
    return frames.DataFrame(found, index=ids, columns=columns)


def words_of(listed: list[list[tuple[str, float]]]) -> list[list[str]]:
    """Words without their scores."""
    return [[word for word, _ in words] for words in listed]


def pandas_module() -> Any:
    """The module pandas.

    Raises
    ------
    ConfigurationError
        When it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ConfigurationError("data frames need pandas; pip install pandas") from error
    return pandas
