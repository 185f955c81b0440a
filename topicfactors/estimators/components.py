"""What the estimators with classes read of a fitted model: posteriors, scores, words."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.utils.validation import check_is_fitted

from topicfactors.contracts import Batch
from topicfactors.corpus.counts import Counts
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import threads
from topicfactors.estimators.bounding import Measure
from topicfactors.estimators.choices import resolve
from topicfactors.estimators.effects import CovariatesMixin
from topicfactors.estimators.halves import check_halves, halves
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.parts import frequencies
from topicfactors.estimators.scoring import Evaluation, Scored, scored, summed_up
from topicfactors.estimators.wording import WordingMixin
from topicfactors.insight.topics import Factors
from topicfactors.training.batches import Documents, in_order
from topicfactors.training.components import ComponentObjective
from topicfactors.training.shared_factors import ENUMERATED, SEARCH
from topicfactors.training.tempering import TEMPERINGS, Seen

SEARCHED = SEARCH.final_states
BLOCK = 2**22  # numbers of a block of log p(x, y)

Floats = NDArray[np.float64]


class ComponentsMixin(WordingMixin, CovariatesMixin):
    """Posterior, scores and word probabilities of the K components, all exact."""

    objective_: ComponentObjective  # type: ignore[assignment]
    tempering_: Any
    word_totals_: Floats
    document_frequency_: Floats
    n_documents_: int
    prevalence_: Floats

    @property
    def components_(self) -> NDArray[np.float32]:
        """Log-probabilities of the words of every component, ``(K, V)`` nats."""
        return np.log(self.topic_word_)

    @property
    def weights_(self) -> NDArray[np.float32]:
        """Probability of every component before any word is seen, ``(K,)``."""
        with torch.no_grad():
            logs = self._joint().log_class_prior()[:, 0]
        return np.asarray(logs.exp().cpu().numpy())

    @property
    def topic_word_(self) -> NDArray[np.float32]:
        """Word probabilities of every component, ``(K, V)``."""
        joint = self._joint()
        with torch.no_grad():
            values = joint.every_class(joint.prior.probabilities())
            words = joint.likelihood.word_probabilities(joint.decoder.logits(values))
        return np.asarray(words[:, 0].cpu().numpy())

    def factors(self) -> Factors:
        """Everything that a ranking of words reads, a component in the place of a factor."""
        check_is_fitted(self, "objective_")
        likelihood = self._joint().likelihood
        known = self._frequencies()
        background = likelihood.word_frequencies(known).double()
        words = self.topic_word_.astype(np.float64)
        loadings = np.log(words) - np.log(background.numpy())
        told = self._told(loadings, background.numpy())
        known = (background.numpy(), self.document_frequency_, self.prevalence_)
        return Factors(loadings, words, *known, told, self.word_order_)

    def _told(self, loadings: Floats, background: Floats) -> Floats:
        """What one occurrence of each word says for each component, ``(K, V)`` nats."""
        tensors = torch.from_numpy(loadings), torch.from_numpy(background)
        return np.asarray(self._joint().likelihood.token_log_odds(*tensors).numpy())

    def score_samples(self, X: Any, *, covariates: Any = None) -> Floats:
        """Log p(x) of every document, ``(N,)`` nats: exact, and of the counts as they are.

        Counts ``X (N, V)``, and the ``covariates`` of their documents where the model has some.
        """
        check_is_fitted(self, "objective_")
        return np.asarray(logsumexp(self._log_joint(self._observed(X, covariates)), axis=1))

    def score(self, X: Any, y: object = None, *, covariates: Any = None) -> float:
        """Mean log p(x) of counts ``X (N, V)`` and ``covariates``, nats; higher is better."""
        return float(self.score_samples(X, covariates=covariates).mean())

    def perplexity(self, X: Any, *, covariates: Any = None) -> float:
        """Per-document perplexity of counts ``X (N, V)`` and ``covariates``."""
        return self.evaluate(X, covariates=covariates).perplexity.per_document

    def evaluate(
        self,
        X: Any,
        *,
        covariates: Any = None,
        bound: str = "auto",
        samples: int | None = None,
    ) -> Evaluation:
        """Perplexities, with those of the unigram on the same documents.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of their documents where the model has some.
        bound
            ``"auto"``, ``"own"`` or ``"exact"``, which are the same here: log p(x) itself. (Of a
            classifier with more than 8 shared factors ``"truncated"``, the bound of a search.) Or
            ``"completion"``: the unseen half of every document's tokens, of a split that never
            changes, given the seen half.
        samples
            None: nothing is drawn.

        Raises
        ------
        ConfigurationError
            When another bound is asked for.
        """
        check_is_fitted(self, "objective_")
        own = self._bound()
        if bound not in ("auto", "own", own, "completion") or samples is not None:
            raise ConfigurationError(
                f"components are summed out, so that bound={own!r} and 'completion' without "
                f"samples are all there is; got bound={bound!r}, samples={samples!r}"
            )
        measure = Measure(bound, 0) if bound == "completion" else self._own()
        return summed_up([self._scores_of(self._observed(X, covariates), measure)], measure)

    def completion_perplexity(self, X_seen: Any, X_unseen: Any, *, covariates: Any = None) -> float:
        """Perplexity of unseen tokens given the others of the same documents.

        Parameters
        ----------
        X_seen, X_unseen
            Counts ``(N, V)`` of the two parts of every document, row by row.
        covariates
            Of their documents, where the model has some.

        Returns
        -------
        float
            exp(−Σ log p / Σ unseen tokens), predictions averaged over p(y | seen part).

        Raises
        ------
        InputError
            When the two parts have different numbers of rows, or nothing is unseen.
        ConfigurationError
            When the model has factors beside its components.
        """
        check_is_fitted(self, "objective_")
        self._refuse_factors()
        seen, unseen = self._observed(X_seen, covariates), self._validate(X_unseen)
        check_halves(seen, unseen)
        return float(np.exp(-self._completed(seen, unseen).sum() / unseen.sum()))

    def _refuse_factors(self) -> None:
        if self._joint().sizes.factors:
            raise ConfigurationError(
                "completion sums over components alone, and this model has factors too; use "
                "perplexity, or fit with n_factors=0"
            )

    def _completed(self, seen: Any, unseen: Any) -> Floats:
        """Log probability of the unseen tokens of every document, ``(N,)`` nats."""
        joint, other, parts = self._precise(), Counts.from_scipy(unseen, self._place()), []
        with threads(self.n_jobs), torch.no_grad():
            for batch in self._batches(seen):
                target, words = joint.over_classes(batch), other.select(batch.rows)
                log_q = target.table().log_softmax(0)[:, words.documents]
                logits = target.logits(joint.every_class())
                each = joint.likelihood.log_word_probability(target.counts, logits, words)
                found = torch.logsumexp(log_q + each, 0) * words.values.double()
                parts.append(words.sum_by_document(found).cpu().numpy())
        return np.concatenate(parts)

    def _scores_of(self, counts: Any, measure: Measure) -> Scored:
        """Scores beside those of the unigram of the training counts."""
        if measure.bound != "completion":
            logs = np.asarray(logsumexp(self._log_joint(counts), axis=1))
            return scored(self, counts, logs, measure)
        self._refuse_factors()
        seen, unseen = halves(counts)
        logs = self._completed(Observed(seen, covariates=counts.covariates), unseen)
        return scored(self, unseen, logs, measure)

    def _evaluated(self, counts: Any) -> Evaluation:
        measure = self._own()
        return summed_up([self._scores_of(counts, measure)], measure)

    def _own(self) -> Measure:
        bound = self._bound()
        return Measure(bound, 0 if bound == "exact" else SEARCHED)

    def _bound(self) -> str:
        """What log p(x) is: exact, or above so many factors the bound of a search."""
        return "exact" if self._joint().sizes.factors <= ENUMERATED else "truncated"

    def _log_joint(self, counts: Observed) -> Floats:
        """Log p(x, y) of every component, ``(N, K)`` nats, in double precision."""
        objective = copy.deepcopy(self.objective_).to(self._place()).double().eval()
        with threads(self.n_jobs), torch.no_grad():
            parts = [objective.table(batch).t() for batch in self._batches(counts)]
        return np.concatenate([part.cpu().numpy() for part in parts])

    @property
    def factor_names_(self) -> list[int | str]:
        """The number of every component."""
        return list(range(self._joint().classes))

    def _log_posterior(self, counts: Observed) -> Floats:
        """Log p(y | evidence) of every component, ``(N, K)`` nats."""
        return self._log_posterior_of(self._evidence(counts))

    def _log_posterior_of(self, evidence: Observed) -> Floats:
        table = self._log_joint(evidence)
        return np.asarray(table - logsumexp(table, axis=1, keepdims=True))

    def _evidence(self, counts: Observed) -> Observed:
        """Counts as far as they are believed, with their covariates."""
        tempering = resolve("tempering", self.tempering_, TEMPERINGS).build()
        evidence = tempering(counts, Seen(self.document_frequency_, self.n_documents_))
        return Observed(evidence, covariates=counts.covariates)

    def _information(self, counts: Observed, posterior: Floats) -> Floats:
        """What documents tell of the constant and Γ of each component, the others' held.

        ``(K, 1 + C, 1 + C)``, as Louis (1982); ``(K, 0, 0)`` without Γ.
        """
        if self.design_ is None or not self.design_.prior or counts.covariates is None:
            return np.zeros((posterior.shape[1], 0, 0))
        read = counts.covariates[:, : self.design_.prior].astype(np.float64)
        rows = np.pad(read, ((0, 0), (1, 0)), constant_values=1.0)
        with torch.no_grad():
            told = torch.from_numpy(counts.covariates).to(self._device())
            before = self._joint().class_prior.condition(told).probabilities().cpu().numpy()
        known = before * (1 - before) - posterior * (1 - posterior)
        return np.asarray(np.einsum("nk,ni,nj->kij", known, rows, rows, optimize=True))

    def _batches(self, counts: Observed) -> Iterator[Batch]:
        place, told = self._place(), counts.covariates
        coded = None if told is None else torch.from_numpy(told).to(place)
        documents = Documents(Counts.from_scipy(counts, place), covariates=coded)
        return in_order(documents, max(1, BLOCK // self._numbers(counts)))

    def _numbers(self, counts: Observed) -> int:
        """How many are held at once for a document."""
        joint = self._joint()
        factors, states = joint.sizes.factors, 1
        if factors:
            searched = SEARCH.final_states * factors
            states = 2**factors if factors <= ENUMERATED else searched
        each = max(joint.classes, states)  # the states of one class at a time
        if joint.likelihood.shared:
            return int(each)
        return int(each * max(1, math.ceil(counts.nnz / max(1, counts.shape[0]))))

    def _precise(self) -> Any:
        """The model in double precision, where that is to be had."""
        return copy.deepcopy(self._joint()).to(self._place()).double()

    def _place(self) -> torch.device:
        own = self._device()
        return torch.device("cpu") if own.type == "mps" else own

    def _frequencies(self) -> Any:
        return frequencies(self.word_totals_, self.document_frequency_, self.n_documents_)
