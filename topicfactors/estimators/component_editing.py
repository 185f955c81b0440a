"""set_names, merge and drop of a mixture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError
from topicfactors.estimators import class_parts
from topicfactors.estimators.answering import AnsweringMixin
from topicfactors.estimators.base import seeded, threads
from topicfactors.estimators.component_fitting import ComponentFittingMixin
from topicfactors.estimators.components import Floats
from topicfactors.estimators.edits import Edit, begun, order_after
from topicfactors.estimators.naming import Key, NamingMixin
from topicfactors.estimators.observed import Observed
from topicfactors.insight.topics import status
from topicfactors.training.editing import mean_effect, raw_of


class ComponentEditingMixin(NamingMixin, AnsweringMixin, ComponentFittingMixin):
    """Names of components, and mixtures of fewer."""

    _noun: ClassVar[str] = "component"
    edits_: list[Edit]
    reseeded_: list[int]

    def drop(self, components: Key | Sequence[Key], X: Any, *, covariates: Any = None) -> Self:
        """A mixture without some components, whose documents go to the others; this one stays.

        The weights of the others are shared out anew, so that they sum to one.

        Parameters
        ----------
        components
            Numbers or names: ``[3, "steam"]``.
        X, covariates
            Counts ``(N, V)`` that prevalence, status and all tables are to be of: those of ``fit``,
            as a rule; and the covariates of the documents where the model has any.

        Returns
        -------
        A fitted model. ``held_out_`` is empty and ``objective_value_`` NaN, for they were of the
        model before; ``edits_`` says what was done.

        Raises
        ------
        InputError
            When there is no such component, none would be left, or the counts cannot be used.
        """
        return self._edited([], components, X, covariates)

    def merge(
        self, groups: Sequence[Sequence[Key]] | Sequence[Key], X: Any, *, covariates: Any = None
    ) -> Self:
        """A mixture in which each group is one component; this one stays as it is.

        Its weight is the sum of theirs, and it has their words in the proportion of the weights. It
        stands in the place of the first, with the first name that one of them has.

        Parameters
        ----------
        groups
            Numbers or names: ``[[1, 4], ["steam", 7]]``, or one group, ``[1, 4]``.
        X, covariates
            Counts ``(N, V)`` and covariates as for :meth:`drop`.

        Returns
        -------
        A fitted model, as :meth:`drop` returns it.

        Raises
        ------
        InputError
            When there is no such component, or one is in two groups.
        ConfigurationError
            When the decoder has no words of a component to put together.

        Examples
        --------
        >>> import numpy as np
        >>> from topicfactors import MixtureModel
        >>> counts = np.repeat([[4, 3, 0, 0], [0, 0, 5, 1], [0, 0, 1, 6]], 5, axis=0)
        >>> model = MixtureModel(3, random_state=0).fit(counts)
        >>> merged = model.merge([0, 2], counts)
        >>> bool(abs(merged.weights_[0] - model.weights_[[0, 2]].sum()) < 1e-6)
        True
        """
        return self._edited(groups, [], X, covariates)

    def _edited(self, groups: Any, dropped: Any, X: Any, covariates: Any = None) -> Self:
        """A copy with fewer components, its tables of these documents."""
        made: Self
        made, edit, counts = begun(self, groups, dropped, X, covariates)
        with threads(self.n_jobs), seeded(0, self._device()), torch.no_grad():
            for group in edit.merged:
                made._unite(group)
            made._shrink(edit)
            made._describe(counts)
            made._order_words(counts)
        return made

    def _check_mergeable(self, edit: Edit) -> None:
        if edit.merged and not hasattr(self._joint().decoder, "raw"):
            raise ConfigurationError(
                "merge needs words of each component, which this decoder does not have; fit with "
                "decoder='log-linear', or drop all of the group but one"
            )

    def _unite(self, group: list[int]) -> None:
        """Let the first of a group have the weight and the words of all."""
        joint, first = self._joint(), group[0]
        prior, decoder = joint.class_prior, joint.decoder
        own = prior.logits[group].double()
        shares = own.softmax(0)
        eta = (decoder.weights[:, group].t() + decoder.bias).double()
        words = joint.likelihood.mixed(eta, shares) - decoder.bias.double()
        decoder.raw[:, first] = raw_of(words, decoder.nonnegative).to(decoder.raw)
        prior.logits[first] = own.logsumexp(0).to(prior.logits)
        if prior.effects is not None:
            weight = prior.effects.weight
            weight[first] = shares.to(weight) @ weight[group]
        if joint.response is not None:
            each = torch.eye(len(group))
            joint.response.coef[first] = mean_effect(joint.response, group, each, shares)
        elif self._responds():
            self._unite_responses(group, shares.cpu().numpy())

    def _unite_responses(self, group: list[int], shares: Floats) -> None:
        """Mean and deviation of the responses of a group, where EM found those of each."""
        means, deviations = self.response_means_.copy(), self.response_deviations_.copy()
        mean = shares @ means[group]
        square = shares @ (deviations[group] ** 2 + means[group] ** 2)
        means[group[0]] = mean
        deviations[group[0]] = math.sqrt(max(float(square - mean**2), 0.0))
        self.response_means_, self.response_deviations_ = means, deviations

    def _shrink(self, edit: Edit) -> None:
        """Drop what is not in the order any more: of all parts, and of the names."""
        old, order = self.objective_, order_after(edit)
        joint: Any = old.joint
        places = torch.from_numpy(order).to(self._device())
        unturned = torch.zeros(edit.of, dtype=torch.bool, device=self._device())
        for part in (joint.decoder, joint.response, getattr(old, "posterior", None)):
            if part is not None:
                part.arrange(places, unturned)
        joint.class_prior.logits.data = joint.class_prior.logits[places]
        if joint.class_prior.effects is not None:
            joint.class_prior.effects.arrange(places, unturned)
        self._rename(edit, order)
        self.set_params(n_components=len(order))
        named = {"inference": self.inference_, "tempering": self.tempering_}
        asked = self.get_params(deep=False)
        asked |= {name: found for name, found in named.items() if asked[name] == "auto"}
        design, responds = self.design_, self._responds()
        chosen = class_parts.choose(asked, covariates=design is not None)
        sizes = (joint.sizes.words, len(order), design)
        self.objective_ = class_parts.build(chosen, *sizes, responds=responds).to(self._device())
        self.objective_.load_state_dict(old.state_dict())
        self.objective_.eval()
        if responds:
            self.response_means_ = self.response_means_[order]
            self.response_deviations_ = self.response_deviations_[order]
        if joint.response is not None:
            self._note_responses(None, [])

    def _rename(self, edit: Edit, order: NDArray[np.int64]) -> None:
        """Let names go with the components, the first of a group for all."""
        called = {place: name for name, place in self._names().items()}
        for first, *rest in edit.merged:
            found = [called.pop(place) for place in (first, *rest) if place in called]
            if found:
                called[first] = found[0]
        self.named_ = {name: place for place, name in called.items()}
        self._move_names(order)
        now = {int(before): place for place, before in enumerate(order)}
        self.reseeded_ = [now[place] for place in self.reseeded_ if place in now]

    def _describe(self, counts: Observed) -> None:
        """What the tables say of these documents, and of no others."""
        self.held_out_, self.converged_, self.objective_value_ = {}, False, math.nan
        self._count_words(counts)
        posterior = np.exp(self._log_posterior(counts))
        self.prevalence_, self.posterior_variance_ = posterior.mean(0), posterior.var(0)
        self.status_ = status(self.prevalence_, self.posterior_variance_)
        self.covariate_information_ = self._information(counts, posterior)

    def _name_parts(self, parts: class_parts.ClassParts) -> None:
        """What "auto" stood for; components of another fit have no names."""
        super()._name_parts(parts)
        self._forget_names()

    def _nameable(self) -> int:
        return int(self._joint().classes)
