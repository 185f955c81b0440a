"""What a mixture is as a density: documents drawn from it, and criteria of how many parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import InputError
from topicfactors.estimators.components import ComponentsMixin
from topicfactors.values import whole


class DrawingMixin(ComponentsMixin):
    """sample, bic and aic."""

    def sample(
        self, n_samples: int = 1, *, lengths: ArrayLike | None = None, random_state: Any = None
    ) -> tuple[Any, NDArray[np.int64]]:
        """Documents drawn from the model.

        Parameters
        ----------
        n_samples
            Number of documents N.
        lengths
            Tokens of each, ``(N,)``; None for Poisson draws around the mean of the training
            documents, at least 1. Under ``"poisson"`` they are expectations, under
            ``"bernoulli"`` they do not matter.
        random_state
            Seed of the draws.

        Returns
        -------
        tuple
            Counts, CSR ``(N, V)``, and the component of each document, ``(N,)``.

        Raises
        ------
        InputError
            When there is not a length of 0 or more for every document.
        ConfigurationError
            When ``n_samples`` is not a whole number of 1 or more.
        """
        check_is_fitted(self)
        whole("n_samples", n_samples, 1)
        generator = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
        tokens = lengths_of(self, n_samples, lengths, generator)
        weights = self.weights_.astype(np.float64)
        labels = generator.choice(len(weights), n_samples, p=weights / weights.sum())
        joint, parts = self._precise(), []
        with torch.no_grad():
            for component, rows in _groups(labels, tokens):
                logits = joint.decoder.logits(joint.every_class()[component : component + 1])
                parts.append(joint.likelihood.draw(logits, rows, generator))
        places = np.argsort(np.argsort(labels, kind="stable"))  # of each row among the groups
        return scipy.sparse.vstack(parts).tocsr()[places], labels

    def bic(self, X: Any, *, covariates: Any = None) -> float:
        """Bayesian information criterion on counts ``X (N, V)``, nats doubled: lower is better.

        −2·log p(X) + (parameters)·log N (Schwarz, 1978), of the counts as they are, with the
        ``covariates`` of their documents where the model has some.
        """
        logs = self.score_samples(X, covariates=covariates)
        return float(-2 * logs.sum() + self._n_parameters() * np.log(len(logs)))

    def aic(self, X: Any, *, covariates: Any = None) -> float:
        """Akaike information criterion on counts ``X (N, V)`` and ``covariates``.

        −2·log p(X) + 2·(parameters) (Akaike, 1974); nats doubled, lower is better.
        """
        logs = self.score_samples(X, covariates=covariates)
        return float(-2 * logs.sum() + 2 * self._n_parameters())

    def _n_parameters(self) -> int:
        """Free parameters of p(x, y)."""
        joint = self._joint()
        table = joint.classes * joint.sizes.words
        if hasattr(joint.decoder, "raw"):  # a table; its bias and columns are one too many
            normalised = joint.likelihood.normalised
            words = table - (joint.classes if normalised else 0)
        else:
            words = sum(part.numel() for part in joint.decoder.parameters())
        own = sum(part.numel() for part in joint.likelihood.parameters() if part.requires_grad)
        return int(words + own + joint.classes - 1 + self._n_effects())

    def _n_effects(self) -> int:
        """Free effects of covariates: one in K, and one in V where only shares matter, is not."""
        joint = self._joint()
        mixing = joint.class_prior.effects
        mixed = 0 if mixing is None else mixing.weight.shape[1]
        moved = 0 if joint.content is None else joint.content.shape[1]
        free_words = joint.sizes.words - (1 if joint.likelihood.normalised else 0)
        return int((joint.classes - 1) * mixed + free_words * moved)


def lengths_of(
    model: Any, documents: int, lengths: ArrayLike | None, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Tokens of each document to be drawn ``(N,)``; None for Poisson draws around the training's.

    Raises
    ------
    InputError
        When there is not a length of 0 or more for every document.
    """
    mean = model.word_totals_.sum() / model.n_documents_
    tokens = np.maximum(generator.poisson(mean, documents), 1) if lengths is None else lengths
    tokens = np.asarray(tokens)
    whole_numbers = np.issubdtype(tokens.dtype, np.integer)
    if tokens.shape != (documents,) or not whole_numbers or (tokens < 0).any():
        raise InputError(
            f"lengths must be {documents} whole numbers of 0 or more, got "
            f"{tokens.dtype} of shape {tokens.shape}"
        )
    return tokens.astype(np.int64)


def _groups(
    labels: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each component that occurs, from the first, and the lengths of its documents in order."""
    for component in np.unique(labels):
        yield int(component), lengths[labels == component]
