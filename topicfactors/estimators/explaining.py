"""Why the factors of a document are on."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from sklearn.pipeline import Pipeline

from topicfactors.corpus.counts import Counts
from topicfactors.corpus.vectorizer import DocumentVectorizer
from topicfactors.errors import ConfigurationError, CorpusWarning, InputError
from topicfactors.estimators.base import threads
from topicfactors.estimators.contrasting import ContrastingMixin
from topicfactors.estimators.intervening import InterveningMixin
from topicfactors.estimators.posteriors import EXACT
from topicfactors.insight.evidence import Explanation, explained, shares
from topicfactors.training.batches import Documents

AT_ONCE = 16  # documents whose factors are switched together
LISTED = 6  # words that say what a factor stands for


class ExplainingMixin(InterveningMixin):
    """explain: which factors are on in a document, and which words say so."""

    def explain(
        self, X: Any, *, covariates: Any = None, refine: int | str = "auto"
    ) -> list[Explanation]:
        """Which factors are on in each document, with the exact evidence of every word.

        Parameters
        ----------
        X
            Counts ``(N, V)`` of a few documents: the result has N·D·(words) numbers.
        covariates
            Those of the documents, where the model has any; they are in the part of the prior.
        refine
            As for :meth:`states`, whose most probable state holds the other factors while one is
            taken apart. The posterior is the exact one or that of a search, whichever inference
            fitted the model; ``transform`` of a sampled inference gives the encoder's guess, unless
            it is told to ``refine``.

        Returns
        -------
        list of Explanation
            One a document. ``log_odds`` of a factor is the sum of its parts, in nats; computed in
            double precision; of counts as far as they are believed (``length_tempering``).
        """
        counts = self._observed(X, covariates)
        believed = self._believed(counts)
        found = [
            (*q, counts[row : row + AT_ONCE], believed[row : row + AT_ONCE])
            for row in range(0, counts.shape[0], AT_ONCE)
            for q in self._searched(believed[row : row + AT_ONCE], refine, _most_probable)
        ]
        joint = copy.deepcopy(self._joint()).cpu().double()
        names = self._words().tolist()
        listed = [[word for word, _ in words] for words in self.top_words(LISTED)]
        results: list[Explanation] = []
        for bits, probabilities, marginals, whole, part in found:
            coded = None if part.covariates is None else torch.from_numpy(part.covariates)
            documents = Documents(Counts.from_scipy(part), covariates=coded)
            target = joint.condition(documents.batch(torch.arange(len(bits))))
            states = (bits.double(), probabilities)
            seen = joint.likelihood.observe(Counts.from_scipy(whole))
            with threads(self.n_jobs), torch.no_grad():
                taken = shares(target, states[0])
            lengths = seen.lengths.tolist()
            results += explained(taken, seen, lengths, names, states, marginals, listed)
        kind = "exact" if self._enumerates() or refine == EXACT else "searched"
        rest = joint.likelihood.remainder
        called = self.factor_names_
        return [_named(each, called)._replace(posterior=kind, remainder=rest) for each in results]


def _named(found: Explanation, called: Sequence[int | str]) -> Explanation:
    """The explanation with the names of factors in the place of their numbers."""
    factors = [each._replace(factor=called[int(each.factor)]) for each in found.factors]
    return found._replace(factors=factors, state=[called[int(number)] for number in found.state])


def _most_probable(q: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    bits, log_q = q.best(1)
    return bits[0].cpu(), log_q[0].exp().cpu(), q.mean().cpu()


def explain(
    pipeline: Pipeline, text: str, *, covariates: Any = None, refine: int | str = "auto"
) -> Explanation:
    """Which factors are on in a text, and which of its words say so.

    Of a mixture or a classifier: which component or class it comes from, and why not another.

    Parameters
    ----------
    pipeline
        A fitted pipeline of DocumentVectorizer and BinaryFactorModel, MixtureModel or
        SemiSupervisedClassifier, as ``load`` returns it.
    text
        The document.
    covariates
        A dict of its covariates, where the model has any: ``{"year": 1687}``.
    refine
        Rounds of search for factors, or ``"exact"``; see :meth:`BinaryFactorModel.states`.

    Raises
    ------
    InputError
        When it is no such pipeline, or no text.
    ConfigurationError
        When ``refine`` is given, and the model has nothing to search for.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from topicfactors import BinaryFactorModel, DocumentVectorizer, explain
    >>> texts = ["steam engine piston", "comet star orbit", "steam piston", "star comet"] * 5
    >>> pipe = make_pipeline(DocumentVectorizer(), BinaryFactorModel(2, random_state=0)).fit(texts)
    >>> found = explain(pipe, "a steam engine and an elephant")
    >>> found.tokens, found.unknown
    (2.0, ['elephant'])
    """
    whole = isinstance(pipeline, Pipeline) and isinstance(pipeline[0], DocumentVectorizer)
    if not whole or not isinstance(pipeline[-1], ExplainingMixin | ContrastingMixin):
        raise InputError(
            "explain reads texts with a pipeline of DocumentVectorizer and a model, got a "
            f"{type(pipeline).__name__}; for counts use the model's own explain(X)"
        )
    if not isinstance(text, str):
        raise InputError(f"text must be one text, got a {type(text).__name__}")
    options = _refining(pipeline[-1], refine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorpusWarning)  # that there are no words is told anyway
        counts = pipeline[:-1].transform([text])
    known = {name: [value] for name, value in covariates.items()} if covariates else None
    found = pipeline[-1].explain(counts, covariates=known, **options)[0]
    words = next(iter(pipeline[0].tokenize([text])))
    known = pipeline[0].vocabulary_
    return found._replace(unknown=[word for word in words if word not in known])


def _refining(model: Any, refine: int | str) -> dict[str, Any]:
    """What a model's own explain is told of the search; nothing where there is none."""
    if isinstance(model, ExplainingMixin):
        return {"refine": refine}
    if refine != "auto":
        raise ConfigurationError(
            f"refine is for the search of a BinaryFactorModel; {type(model).__name__} sums over "
            f"its components, got refine={refine!r}; leave it out"
        )
    return {}
