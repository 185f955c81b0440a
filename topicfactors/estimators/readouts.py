"""What a fitted factor model says of itself: loadings, prior and word probabilities."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import InputError
from topicfactors.estimators.base import CountsEstimator
from topicfactors.estimators.parts import frequencies
from topicfactors.insight.topics import Factors

BLOCK = 2**24  # floats of a dense result that are made at once


class ReadoutMixin(CountsEstimator):
    """components_, intercept_, prior_, topic_word_ and inverse_transform, from the objective."""

    word_totals_: NDArray[np.float64]
    document_frequency_: NDArray[np.float64]
    prevalence_: NDArray[np.float64]
    n_documents_: int

    def inverse_transform(self, Z: ArrayLike) -> NDArray[np.float32]:
        """Word probabilities ``(N, V)`` of documents with factors ``Z (N, D)`` on; dense.

        Covariates that act on the words are at their mean.

        Raises
        ------
        InputError
            When ``Z`` has not a column for each factor.
        """
        check_is_fitted(self)
        values = check_array(Z, dtype=np.float32, input_name="Z")
        if values.shape[1] != self._factors():
            raise InputError(
                f"Z must have one column for each of the {self._factors()} factors, "
                f"got shape {values.shape}"
            )
        return self._decoded(torch.tensor(values))

    def factors(self) -> Factors:
        """Everything that a ranking of words reads."""
        check_is_fitted(self)
        known = frequencies(self.word_totals_, self.document_frequency_, self.n_documents_)
        likelihood, loadings = self._joint().likelihood, self.components_
        background = likelihood.word_frequencies(known)
        told = likelihood.token_log_odds(torch.from_numpy(loadings).double(), background.double())
        return Factors(
            loadings,
            self.topic_word_.astype(np.float64),
            background.numpy(),
            self.document_frequency_,
            self.prevalence_,
            told.numpy(),
            self.word_order_,
        )

    @property
    def n_components_(self) -> int:
        """Number of factors D."""
        return self._factors()

    @property
    def components_(self) -> NDArray[np.float32]:
        """Log-weights W, ``(D, V)``."""
        return np.array(self._joint().decoder.loadings().cpu().numpy(), order="C")  # a copy

    @property
    def intercept_(self) -> NDArray[np.float32]:
        """Background log-weights b, ``(V,)``."""
        return np.array(self._joint().decoder.bias.detach().cpu().numpy())  # a copy

    @property
    def prior_(self) -> NDArray[np.float32]:
        """P(z_d = 1), ``(D,)``."""
        return np.asarray(self._joint().prior.probabilities().cpu().numpy())

    @property
    def couplings_(self) -> NDArray[np.float32]:
        """What factor e adds to the log-odds of factor d when it is on, ``(D, D)`` nats.

        Symmetric; zero between factors of the same side, which the prior cannot couple.

        Raises
        ------
        AttributeError
            When the prior has no couplings; fit with ``prior="boltzmann"``.
        """
        couplings = getattr(self._joint().prior, "couplings", None)
        if couplings is None:
            raise AttributeError("the prior has no couplings; fit the model with prior='boltzmann'")
        return np.asarray(couplings().detach().cpu().numpy())

    @property
    def topic_word_(self) -> NDArray[np.float32]:
        """Word probabilities with one factor on and the others at their prevalence, ``(D, V)``."""
        return self._switched(1.0)

    def _switched(self, value: float) -> NDArray[np.float32]:
        """Word probabilities with one factor at a value, the others at their prevalence."""
        check_is_fitted(self)
        prevalence = torch.from_numpy(self.prevalence_).float()
        states = prevalence.expand(len(prevalence), -1).clone().fill_diagonal_(value)
        return self._decoded(states)

    @property
    def _n_features_out(self) -> int:
        return self._factors()

    def _decoded(self, values: torch.Tensor) -> NDArray[np.float32]:
        joint, objective, blocks = self._joint(), self.objective_, []
        step = max(1, BLOCK // joint.sizes.words)
        with torch.no_grad():
            for part in torch.split(values.to(self._device()), step):
                words = joint.likelihood.word_probabilities(objective.word_logits(part[None]))
                blocks.append(words[0].cpu().numpy())
        return np.concatenate(blocks)
