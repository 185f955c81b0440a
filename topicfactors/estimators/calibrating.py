"""Are the on/off probabilities true: against simulated documents, and against held-out words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import InputError, unknown_name
from topicfactors.estimators.base import seeded, threads
from topicfactors.estimators.drawing import lengths_of
from topicfactors.estimators.halves import halves
from topicfactors.estimators.lengths import AUTO, tempered
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.posteriors import EXACT
from topicfactors.estimators.sampling import SamplingMixin
from topicfactors.insight.calibration import BINNINGS, BINS, Calibration, calibrated, log_losses
from topicfactors.training.continuous import refuse
from topicfactors.values import whole

WAYS = ("held-out", "simulated")
DOCUMENTS = 1000  # simulated, unless a number is asked for
CANDIDATES = (12.0, 8.0, 6.0, 4.0, 3.0, 2.0)  # c of min(1, c/√n); "auto" tries them
CHOSEN_ON = 500  # documents

Floats = NDArray[np.float64]


class Halved(NamedTuple):
    """Documents of which half the tokens are seen, and what all of them say."""

    seen: Observed
    told: Floats  # (N, D) P(on | all tokens)


class CalibratingMixin(SamplingMixin):
    """calibration, and the choice of a length tempering."""

    random_state: Any

    @torch.no_grad()
    def calibration(
        self,
        X: Any = None,
        *,
        how: str | None = None,
        covariates: Any = None,
        n_documents: int | None = None,
        refine: int | str = "auto",
        bins: int = BINS,
        by: str = "width",
        random_state: Any = None,
    ) -> Calibration:
        """How often factors are on, where :meth:`transform` says that they are with probability p.

        ``"simulated"`` draws factors from the prior and words from the likelihood, and infers the
        factors from the words: what is measured is the *inference*, on documents for which the
        model is true. An exact inference is calibrated up to chance. (Under ``"poisson"`` the
        exposure that is inferred with is the tokens drawn, not those expected.)

        ``"held-out"`` infers from half of each document's tokens, and asks what all of them say:
        the best posterior of the whole document, searched or exact and never tempered. If the model
        and the inference were true, the whole would say "on" with probability p on average where
        the half said p. Where words come in bursts that the model does not know of, the half is too
        sure, and the whole disagrees more often. It is agreement with the model's own later
        opinion, which shares half of its words, and not with a truth that nobody knows.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)`` in whole numbers, and the covariates of the documents where the model
            has any. ``"simulated"`` takes the lengths of the documents from them, covariates being
            at their mean.
        how
            ``"simulated"`` or ``"held-out"``; None for ``"held-out"`` where there is ``X``.
        n_documents
            So many documents of ``X``, drawn at random; None for all, or where there is no ``X``
            1,000 whose lengths are Poisson draws around the mean of the training documents.
        refine
            As for :meth:`transform`, whose probabilities are judged.
        bins, by
            Number of bins, of equal ``"width"`` or with an equal ``"count"`` of pairs of a document
            and a factor.
        random_state
            Seed of the documents.

        Returns
        -------
        Calibration
            The curve with its standard errors over documents, the expected calibration error,
            Brier score and log-loss (nats a pair), beside those of a forecast that knows the share
            of each factor alone.

        Raises
        ------
        ConfigurationError
            When there is no such way or binning, or a number is not whole.
        InputError
            When held-out words are asked for and there are none.
        """
        check_is_fitted(self)
        way = how if how is not None else ("simulated" if X is None else "held-out")
        if way not in WAYS:
            raise unknown_name("how", way, WAYS)
        if by not in BINNINGS:
            raise unknown_name("by", by, BINNINGS)
        whole("bins", bins, 1)
        if n_documents is not None:
            whole("n_documents", n_documents, 1)
        with threads(self.n_jobs), seeded(random_state, self._device()) as seed:
            generator = np.random.default_rng(seed)
            given = None if X is None else self._some(X, covariates, n_documents, generator)
            if way == "simulated":
                known, truth = self._drawn_documents(given, n_documents, generator)
            else:
                known, truth = self._halved(given, "how='held-out'")
            said = np.asarray(self.transform(known, refine=refine), np.float64)
        found = calibrated(said, truth, bins, by)
        return found._replace(how=way, documents=len(said), length_tempering=self._length())

    def _some(
        self, X: Any, covariates: Any, count: int | None, generator: np.random.Generator
    ) -> Observed:
        """Documents of a user, or so many of them."""
        counts = self._observed(X, covariates)
        if count is None or count >= counts.shape[0]:
            return counts
        found: Observed = counts[np.sort(generator.permutation(counts.shape[0])[:count])]
        return found

    @torch.no_grad()
    def _drawn_documents(
        self, given: Observed | None, count: int | None, generator: np.random.Generator
    ) -> tuple[Observed, Floats]:
        """Documents of the model's own, as long as those given, and their factors."""
        if self.objective_.layers is not None:
            refuse("how='simulated'")
        self._joint().prior.refresh()
        lengths = None
        if given is not None:
            lengths = np.rint(np.asarray(given.sum(1)).ravel()).astype(np.int64)
        number = (count or DOCUMENTS) if lengths is None else len(lengths)
        drawn, bits = self._simulated(lengths_of(self, number, lengths, generator), generator)
        return drawn, bits.cpu().double().numpy()

    def _halved(self, given: Observed | None, what: str) -> Halved:
        """Halves of documents that have two tokens, and the posterior of the whole."""
        if given is None:
            raise InputError(f"{what} needs documents: pass counts X, or use how='simulated'")
        seen, unseen = halves(given, what)
        rows = np.flatnonzero(np.diff(unseen.indptr))
        whole_documents = given[rows]
        known = Observed(seen[rows].astype(given.dtype), covariates=whole_documents.covariates)
        return Halved(known, self._best_told(whole_documents))

    def _best_told(self, counts: Observed) -> Floats:
        """P(on) under the best posterior there is, ``(N, D)``, of counts as they are."""
        if self.objective_.layers is not None:
            found = [q.mean() for _, q in self._posteriors(counts)]
        else:
            sums = self._enumerates() or self._tightest() == EXACT
            found = self._searched(counts, EXACT if sums else "auto", lambda q: q.mean())
        return np.concatenate([part.cpu().double().numpy() for part in found])

    @torch.no_grad()
    def _choose_length(self, counts: Observed, finished: bool) -> None:
        """After ``fit``: what ``"auto"`` is, from at most 500 documents; None for no tempering.

        The c with the least log-loss of what whole documents say, where halves of them are
        tempered, if it is less than without by more than its standard error. The documents are
        drawn as those that were held out, and begin with them.
        """
        if not isinstance(self.length_tempering, str):
            if hasattr(self, "length_tempering_"):
                del self.length_tempering_
            return
        self.length_tempering_ = None
        long = np.asarray(counts.sum(1)).ravel() >= 2
        if not finished or not long.any():
            return
        with threads(self.n_jobs), seeded(self.random_state, self._device()) as seed:
            order = np.random.default_rng(seed).permutation(counts.shape[0])
            chosen = np.sort(order[long[order]][:CHOSEN_ON])
            known, told = self._halved(counts[chosen].without_responses(), AUTO)
            plain, best = self._losses(known, told), 0.0
            for most in CANDIDATES:
                gain = plain - self._losses(tempered(known, most), told)
                error = gain.std() / np.sqrt(len(gain))
                if gain.mean() > max(best, error):
                    best, self.length_tempering_ = float(gain.mean()), most

    def _losses(self, counts: Observed, told: Floats) -> Floats:
        """Log-loss of each document, inferred from counts as they are, ``(N,)`` nats a factor."""
        said = [q.mean().cpu().double().numpy() for _, q in self._posteriors(counts)]
        return log_losses(np.concatenate(said), told)
