"""``fit`` and ``partial_fit`` of the binary latent-factor model."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike

from topicfactors.estimators.checks import is_automatic
from topicfactors.estimators.shards import is_store, refuse_beside
from topicfactors.estimators.streaming import StreamingMixin
from topicfactors.training.trainer import History


class FitsMixin(StreamingMixin):
    """What is learnt from counts, at once or by and by."""

    warm_start: bool

    def fit(
        self,
        X: Any,
        y: object = None,
        *,
        covariates: Any = None,
        feature_names: ArrayLike | None = None,
        id2word: Any = None,
        response: ArrayLike | None = None,
    ) -> Self:
        """Fit the model to counts.

        Parameters
        ----------
        X
            Counts ``(N, V)``, sparse or dense, whole or real-valued, not negative; or a corpus of
            gensim's, N bags of (word id, count), which ``transform`` and its like take as well; or
            a :class:`~topicfactors.corpus.store.CountsStore`, whose shards are streamed.
        y
            Ignored.
        covariates
            What is known of each document beside its words: a data frame, a dict of columns, or an
            array, a row for each.
        feature_names
            The word of each column, ``(V,)``, where ``X`` does not carry them itself.
        id2word
            For bags of words: a gensim Dictionary, or a dict of ids to words.
        response
            A number for each document ``(N,)``, None or NaN where unknown, that the factors explain
            beside the words; None for a model of words alone. Of a store, the name of its column.

        Raises
        ------
        InputError
            When the counts or the responses cannot be used.
        ConfigurationError
            When a parameter is out of range or parts do not fit together.
        FitError
            When training fails before there is anything to keep.
        KeyboardInterrupt
            On Ctrl-C, after the best weights so far were put in place: the model is usable.
        """
        going_on = bool(self.warm_start) and hasattr(self, "objective_")
        named = (feature_names, id2word)
        if is_store(X):
            refuse_beside(id2word, "id2word")
            with self._whole_or_not_at_all(False):
                history = self._fit_store(X, covariates, response, feature_names)
            self._pass_on(history)
            return self
        with self._whole_or_not_at_all(going_on):
            if going_on:
                self._refuse_going_on("warm_start=True")
            counts, chosen = self._prepared(X, covariates, response, *named, going_on)
            self._check_length(counts, chosen.likelihood)
            self._forget_runs()
            if not going_on:
                self._forget_before()
            if self.n_runs > 1:
                history = History(interruption=self._fit_runs(counts, covariates))
            elif is_automatic(self.n_components) and not going_on:
                history = History(interruption=self._fit_number(counts, covariates))
            else:
                history = self._learn(counts, chosen, going_on)
            self._order_words_after(counts, history)
        self._choose_length(counts, history.interruption is None)
        self._pass_on(history)
        return self

    def partial_fit(
        self,
        X: Any,
        y: object = None,
        *,
        covariates: Any = None,
        feature_names: ArrayLike | None = None,
        id2word: Any = None,
        response: ArrayLike | None = None,
    ) -> Self:
        """One pass over some documents, going on from the last.

        ``X (N, V)``, ``covariates``, ``feature_names (V,)``, ``id2word`` and ``response (N,)`` are
        those of :meth:`fit`; the first call says which categories and scales there are, and
        whether the model has responses.
        The first call starts the model from its documents; the KL weight and the temperature of
        the inference move as in ``fit``, a call counting as one of ``max_iter`` passes. Nothing is
        held out, and the factors keep their order. Word totals add up over the calls;
        ``prevalence_`` and ``status_`` follow the documents of about the last ten.
        """
        first = not hasattr(self, "objective_")
        self._refuse_stream(first)
        self._refuse_length()
        self._refuse_going_on("partial_fit")
        named = (feature_names, id2word)
        with self._whole_or_not_at_all(not first):
            counts, chosen = self._prepared(X, covariates, response, *named, not first)
            self._check_length(counts, chosen.likelihood)
            self._forget_runs()
            history = self._learn_more(counts, chosen, first)
            self.word_order_ = None  # those of some documents would stand for all
        self._pass_on(history)
        return self
