"""What people are used to from gensim, BERTopic and pyLDAvis, of a fitted factor model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.anchoring import AnchoringMixin
from topicfactors.estimators.posteriors import PosteriorMixin
from topicfactors.estimators.readouts import ReadoutMixin
from topicfactors.estimators.wording import RANKING, WordingMixin
from topicfactors.export.factors import column_name
from topicfactors.insight.documents import representative
from topicfactors.values import is_whole

LEAST = 0.01  # gensim's minimum_probability


class FramesMixin(AnchoringMixin, PosteriorMixin, ReadoutMixin, WordingMixin):
    """show_topics, get_topics, get_document_topics, data frames, pyLDAvis."""

    prior_: NDArray[np.float32]
    status_: list[str]

    def show_topics(
        self,
        num_topics: int = 10,
        num_words: int = 10,
        *,
        formatted: bool = True,
        ranking: str = RANKING,
    ) -> list[tuple[int, Any]]:
        """Factors and their words as gensim shows them; the most prevalent factors first.

        Parameters
        ----------
        num_topics
            So many factors; −1 for all.
        num_words
            Words a factor.
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
        words = self.top_words(num_words, ranking=ranking)
        order = np.argsort(-self.prevalence_, kind="stable").tolist()
        chosen = order if num_topics == -1 else order[:num_topics]
        if not formatted:
            return [(factor, words[factor]) for factor in chosen]
        return [
            (factor, " + ".join(f'{score:.3f}*"{word}"' for word, score in words[factor]))
            for factor in chosen
        ]

    def get_topics(self) -> NDArray[np.float32]:
        """Word probabilities of each factor, ``(D, V)``; rows sum to one."""
        words = self.topic_word_
        return np.asarray(words / words.sum(1, keepdims=True))

    def get_document_topics(
        self, bow: Any, minimum_probability: float = LEAST, *, covariates: Any = None
    ) -> Any:
        """Factors and their probabilities, as gensim lists them.

        Parameters
        ----------
        bow
            One document as a list of (word id, count), or several: a bag-of-words stream, or counts
            ``(N, V)``.
        minimum_probability
            Leave out factors that are less likely on.
        covariates
            A row for each document, where the model was fitted with covariates.

        Returns
        -------
        list
            Of (factor, P(on | document)) for one document, else such a list for each. The
            probabilities do not sum to one.
        """
        one = isinstance(bow, list | tuple) and all(_is_pair(entry) for entry in bow)
        X = [bow] if one else bow
        found = np.asarray(self.transform(X, covariates=covariates), dtype=float)
        listed = [
            [(int(d), float(row[d])) for d in np.flatnonzero(row >= minimum_probability)]
            for row in found
        ]
        return listed[0] if one else listed

    def representative_documents(
        self, X: Any, n: int = 5, *, covariates: Any = None, refine: int | str = "auto"
    ) -> list[list[tuple[int, float]]]:
        """Rows of the documents that show each factor best, with P(on | document).

        See :func:`topicfactors.insight.documents.representative`. Fewer than ``n`` where the factor
        is on in fewer documents of ``X``.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        n
            Documents a factor.
        refine
            As for :meth:`transform`.

        Raises
        ------
        ConfigurationError
            When ``n`` is not a whole number of 1 or more.
        """
        if not is_whole(n) or n < 1:
            raise ConfigurationError(f"n must be a whole number of 1 or more, got {n!r}")
        counts = self._observed(X, covariates)
        found = np.asarray(self.transform(counts, refine=refine))
        return representative(counts, found, self.factors().log_odds, n)

    def topics_frame(self, n_words: int = 10, *, ranking: str = RANKING) -> Any:
        """A data frame with a row a factor: prevalence, prior, status, words, suppressed words.

        The words are those of :meth:`top_words`, ``n_words`` of them under the ``ranking``.
        """
        pandas = _pandas()
        top, low = self.top_words(n_words, ranking=ranking), self.suppressed_words(n_words)
        return pandas.DataFrame(
            {
                "factor": self.factor_names_,
                "prevalence": self.prevalence_,
                "prior": self.prior_,
                "status": self.status_,
                "words": [[word for word, _ in listed] for listed in top],
                "suppressed": [[word for word, _ in listed] for listed in low],
            }
        )

    def documents_frame(
        self,
        X: Any,
        ids: Sequence[Any] | None = None,
        *,
        covariates: Any = None,
        refine: int | str = "auto",
    ) -> Any:
        """A data frame with a row a document, in their order.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        ids
            The index, N of them; the rows' numbers where there are none.
        refine
            As for :meth:`transform`.

        Returns
        -------
        pandas.DataFrame
            ``on`` (the factors more likely on than off), ``strongest`` (the most probable one), and
            P(on | document) as ``factor_0``, ``factor_1``, …

        Raises
        ------
        InputError
            When there is not one id for each row.
        ConfigurationError
            When pandas is not installed.
        """
        pandas = _pandas()
        found = np.asarray(self.transform(X, covariates=covariates, refine=refine))
        if ids is not None and len(ids) != len(found):
            raise InputError(f"ids must name each of the {len(found)} rows of X, got {len(ids)}")
        frame = pandas.DataFrame(
            found, index=ids, columns=list(map(column_name, self.factor_names_))
        )
        frame.insert(0, "strongest", found.argmax(1))
        frame.insert(0, "on", [np.flatnonzero(row > 0.5).tolist() for row in found])
        return frame

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
        found = np.asarray(self.transform(counts), dtype=np.float64) + 1e-12
        topics = self.get_topics().astype(np.float64)
        return {
            "topic_term_dists": topics / topics.sum(1, keepdims=True),
            "doc_topic_dists": found / found.sum(1, keepdims=True),
            "doc_lengths": np.asarray(counts.sum(axis=1)).ravel(),
            "vocab": self._words().tolist(),
            "term_frequency": np.asarray(counts.sum(axis=0)).ravel(),
        }


def _is_pair(entry: object) -> bool:
    return isinstance(entry, tuple) and len(entry) == 2 and is_whole(entry[0])


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ConfigurationError("data frames need pandas; pip install pandas") from error
    return pandas
