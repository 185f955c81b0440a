"""Why a document comes from one component, or is of one class, and not another."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import threads
from topicfactors.estimators.components import ComponentsMixin, Floats
from topicfactors.estimators.observed import Observed
from topicfactors.insight.contrasts import Scores, contrasted
from topicfactors.insight.evidence import Explanation

LISTED = 6  # words that say what a component stands for


class ContrastingMixin(ComponentsMixin):
    """explain of the estimators with classes."""

    _noun = "component"

    def explain(self, X: Any, *, covariates: Any = None) -> list[Explanation]:
        """Why each document comes from its component and not from another.

        Parameters
        ----------
        X
            Counts ``(N, V)`` of a few documents: the result has N·K·(words) numbers.
        covariates
            Those of the documents, where the model has any; they are in the part of the prior.

        Returns
        -------
        list of Explanation
            One a document. ``log_odds`` of a component is against the most probable other one
            (``against``), and is the sum of its parts, in nats: the prior and the words, each as
            far as it is believed (``tempering``).

        Raises
        ------
        ConfigurationError
            When there is one component, and no other to compare it with.
        """
        check_is_fitted(self, "objective_")
        if self._joint().classes < 2:
            raise ConfigurationError(
                f"explain compares each {self._noun} with the others, and this model has one alone;"
                " fit with n_components of 2 or more"
            )
        counts = self._observed(X, covariates)
        evidence = self._evidence(counts)
        names, told = self._words(), self._logs(evidence)
        listed = [[word for word, _ in words] for words in self._stands_for(LISTED)]
        results = []
        for row, scores in enumerate(self._scores(evidence)):
            part = counts[row]
            words = [str(name) for name in names[part.indices]]
            results.append(
                contrasted(
                    scores,
                    words,
                    part.data.tolist(),
                    np.exp(told[row]),
                    listed,
                    self._called(),
                    self._noun,
                    self._joint().likelihood.remainder,
                )
            )
        return results

    def _logs(self, evidence: Observed) -> Floats:
        """Log-probabilities that are explained, ``(N, K)`` nats."""
        return self._log_posterior_of(evidence)

    def _stands_for(self, n_words: int) -> list[list[tuple[str, float]]]:
        return self.top_words(n_words)

    def _called(self) -> list[int | str]:
        """The number or name of each component."""
        return list(self.factor_names_)

    def _scores(self, evidence: Observed) -> list[Scores]:
        """The parts of log p(evidence, y) of every document."""
        joint = copy.deepcopy(self._joint()).to(self._place()).double()
        results = []
        with threads(self.n_jobs), torch.no_grad():
            for batch in self._batches(evidence):
                target = joint.over_classes(batch)
                logits = target.logits(joint.every_class())
                each, rest = joint.likelihood.terms(target.counts, logits)
                prior = target.prior.expand(-1, len(batch.counts)).cpu().numpy()
                parts, others = each.cpu().numpy(), rest.expand_as(target.table()).cpu().numpy()
                offsets = batch.counts.offsets.tolist()
                results += [
                    Scores(prior[:, row], others[:, row], parts[:, start:stop])
                    for row, (start, stop) in enumerate(itertools.pairwise(offsets))
                ]
        return results
