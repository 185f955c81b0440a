"""merge and drop of a factor model: a smaller model, every table of it true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError
from topicfactors.estimators import parts
from topicfactors.estimators.anchoring import AGAINST
from topicfactors.estimators.base import seeded, threads
from topicfactors.estimators.edits import Edit, begun, order_after
from topicfactors.estimators.naming import Key
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.records import RecordsMixin
from topicfactors.inference.free import FreePosterior
from topicfactors.inference.posteriors import EnumeratedPosterior, MeanFieldPosterior
from topicfactors.inference.truncated import TruncatedPosterior
from topicfactors.training import editing

MERGEABLE = (EnumeratedPosterior, FreePosterior, MeanFieldPosterior, TruncatedPosterior)
MOST = 8  # factors that are merged into one at a time: their 2^G states are looked at


class EditingMixin(RecordsMixin):
    """merge and drop."""

    edits_: list[Edit]
    _optimizer_state: dict[str, Any] | None = None
    overlap_penalty: float
    covariate_shrinkage: float

    def drop(self, factors: Key | Sequence[Key], X: Any, *, covariates: Any = None) -> Self:
        """A model without some factors; this one stays as it is.

        What they did to the words on average goes into the bias: one that is nearly always on moves
        there whole. The others keep their order, and are renumbered.

        Parameters
        ----------
        factors
            Numbers or names: ``[3, "steam"]``.
        X, covariates
            Counts ``(N, V)`` that prevalence, status and all tables are to be of: those of ``fit``,
            as a rule; and the covariates of the documents where the model has any.

        Returns
        -------
        A fitted model. ``held_out_`` is empty, for the bounds were those of the model before;
        ``history_`` is that of its training; ``edits_`` says what was done. What several runs
        agreed on was of the factors before, and is gone.

        Raises
        ------
        InputError
            When there is no such factor, none would be left, or the counts cannot be used.

        Examples
        --------
        >>> import numpy as np
        >>> from topicfactors import BinaryFactorModel
        >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
        >>> model = BinaryFactorModel(2, random_state=0).fit(counts)
        >>> model.drop(1, counts).transform(counts).shape
        (20, 1)
        """
        return self._edited([], factors, X, covariates)

    def merge(
        self, groups: Sequence[Sequence[Key]] | Sequence[Key], X: Any, *, covariates: Any = None
    ) -> Self:
        """A model in which each group is one factor, on where any of the group was.

        Its loadings give the words as often as they come, on average, in documents that have any of
        the group. It stands in the place of the first, with the first name that one of them has.

        Parameters
        ----------
        groups
            Numbers or names: ``[[1, 4], ["steam", 7]]``, or one group, ``[1, 4]``; at most 8 in
            each.
        X, covariates
            Counts ``(N, V)`` and covariates as for :meth:`drop`; the encoder and the prior of the
            new factor are fitted to them.

        Returns
        -------
        A fitted model, as :meth:`drop` returns it; this one stays as it is.

        Raises
        ------
        InputError
            When there is no such factor, or one is in two groups.
        ConfigurationError
            When the decoder has no loadings that add up, or the posterior draws one factor after
            the other.
        """
        return self._edited(groups, [], X, covariates)

    def _edited(self, groups: Any, dropped: Any, X: Any, covariates: Any = None) -> Self:
        """A copy with fewer factors, its tables of these documents."""
        made: Self
        made, edit, counts = begun(self, groups, dropped, X, covariates)
        with threads(self.n_jobs), seeded(0, self._device()), torch.no_grad():
            made._regroup(edit, counts)
            made._shrink(edit)
            made._describe(counts)
            made._order_words(counts)
        made._forget_runs()
        return made

    def _check_mergeable(self, edit: Edit) -> None:
        if not edit.merged:
            return
        if not hasattr(self._joint().decoder, "raw"):
            raise ConfigurationError(
                "merge needs loadings that add up, which this decoder does not have; fit with "
                "decoder='log-linear', or drop all of the group but one"
            )
        if type(self.objective_.posterior) not in MERGEABLE:
            raise ConfigurationError(
                "merge does not know what this posterior's factors say to each other; fit with "
                "posterior='mean-field', or drop all of the group but one"
            )
        largest = max(edit.merged, key=len)
        if len(largest) > MOST:
            raise ConfigurationError(
                f"merge makes one factor of at most {MOST}, got {len(largest)}; merge some, and "
                "then the result with the others"
            )

    def _regroup(self, edit: Edit, counts: Observed) -> None:
        """Let the others take up what goes: all parts, in the places that they have."""
        objective, documents = self.objective_, self._documents(counts)
        objective.eval()
        often, groups = self._looked_at(edit, counts)
        for group in groups:
            editing.fit_guess(objective.posterior, group, documents)
            editing.merge(objective, group, often)
            editing.fit_prior(
                objective.joint.prior, group, documents.covariates, self.covariate_shrinkage
            )
        for factor in edit.dropped:
            editing.drop(objective, factor, often)

    def _looked_at(self, edit: Edit, counts: Observed) -> tuple[torch.Tensor, list[editing.Group]]:
        """How often each factor is on ``(D,)``, and the states of the groups in the documents."""
        total = torch.zeros(edit.of, dtype=torch.float64)
        shares = [torch.zeros(2 ** len(group), dtype=torch.float64) for group in edit.merged]
        any_on: list[list[torch.Tensor]] = [[] for _ in edit.merged]
        for _, q in self._posteriors(counts):
            total += q.mean().cpu().double().sum(0)
            for number, members in enumerate(edit.merged):
                found = editing.state_shares(q, members)
                shares[number] += found.sum(1)
                any_on[number].append(1 - found[0].clamp(0, 1))
        each = zip(edit.merged, shares, any_on, strict=True)
        return total / counts.shape[0], [
            editing.Group(members, share, torch.cat(on)) for members, share, on in each
        ]

    def _shrink(self, edit: Edit) -> None:
        """Drop what is not in the order any more: of all parts, names and anchors."""
        old, order = self.objective_, order_after(edit)
        places = torch.from_numpy(order).to(self._device())
        unturned = torch.zeros(edit.of, dtype=torch.bool, device=self._device())
        for part in old.per_factor():
            part.arrange(places, unturned)
        self._rename(edit, order)
        self.set_params(n_components=len(order))
        asked = self.get_params(deep=False) | {"inference": self._asked_inference()}
        new = parts.build(
            parts.choose(asked, len(order)),
            old.joint.sizes.words,
            len(order),
            self.overlap_penalty,
            self.design_,
            responds=self._responds(),
        ).to(self._device())
        new.joint.load_state_dict(old.joint.state_dict())
        new.posterior.load_state_dict(old.posterior.state_dict())
        if new.layers is not None and old.layers is not None:
            new.layers.load_state_dict(old.layers.state_dict())
        begun, learnt = new.gradient.state_dict(), old.gradient.state_dict()
        kept = {name: part for name, part in learnt.items() if part.shape == begun[name].shape}
        new.gradient.load_state_dict(begun | kept)
        self.objective_, self._optimizer_state = new, None

    def _asked_inference(self) -> Any:
        """The inference, where ``"auto"`` was asked for what it came to."""
        return self.inference_ if self.inference == "auto" else self.inference

    def _rename(self, edit: Edit, order: NDArray[np.int64]) -> None:
        """Let names, anchors and their words go with the factors, or into those of their group."""
        called = {place: name for name, place in self._names().items()}
        named, anchored = dict(getattr(self, "named_", {})), dict(self._anchored())
        told, missing = dict(self.anchors or {}), dict(getattr(self, "missing_anchors_", {}))
        for first, *rest in edit.merged:
            group = [first, *rest]
            name = next((called[place] for place in group if place in called), None)
            own = sorted((n for n, place in anchored.items() if place in group), key=anchored.get)  # type: ignore[arg-type]
            named = {n: place for n, place in named.items() if place not in group}
            if own:
                anchored[own[0]] = first
                told[own[0]] = _joined([told[n] for n in own])
                lost = [word for n in own for word in missing.get(n, [])]
                missing |= {own[0]: list(dict.fromkeys(lost))} if lost else {}
            for other in own[1:]:
                del anchored[other], told[other]
            if name is not None and name not in own[:1]:
                named[name] = first
        self.named_, self.anchored_ = named, anchored
        self._move_names(order)
        self.missing_anchors_ = {n: words for n, words in missing.items() if n in self.anchored_}
        if self.anchors is not None:
            kept = {n: words for n, words in told.items() if n in self.anchored_}
            self.set_params(anchors=kept or None)

    def _describe(self, counts: Observed) -> None:
        """What the tables say of these documents, and of no others."""
        self.held_out_ = {}
        mean, variance = self._moments([(counts, None)])
        self.covariate_information_ = self._information(counts, None)
        self._count_words(counts)
        self._note_moments(mean, variance)


def _joined(lists: Sequence[Sequence[str]]) -> list[str]:
    """Words of several anchors; none is kept out that another asks for."""
    words = list(dict.fromkeys(word for listed in lists for word in listed))
    return [word for word in words if not (word.startswith(AGAINST) and word[1:] in words)]
