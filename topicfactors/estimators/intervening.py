"""Factors switched on or off, and what the vocabulary does then."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import InputError
from topicfactors.estimators.base import threads
from topicfactors.estimators.holding import HoldingMixin
from topicfactors.estimators.wording import WordingMixin
from topicfactors.insight.interventions import (
    Floats,
    Interaction,
    Interactions,
    Intervention,
    Switched,
    divergences,
    interaction,
    switch,
)

LISTED = 6  # words that say what a factor stands for
BLOCK = 2**22  # word probabilities that are held at once
PAIR = ((), (0,), (1,), (0, 1))  # which of two factors are on: neither, each, both

Factor = int | str


class InterveningMixin(HoldingMixin, WordingMixin):
    """intervene and interactions."""

    def intervene(
        self,
        on: Factor | Sequence[Factor] = (),
        off: Factor | Sequence[Factor] = (),
        *,
        given: Any = None,
        covariates: Any = None,
        refine: int | str = "auto",
    ) -> Intervention:
        """Set some factors, and see which words come more and less often.

        The words are those that the model would draw: the probabilities of a token, which sum to
        one (under ``"polya"`` of the first token from the urn; under ``"poisson"`` the shares of
        the rates, which do not know how long a document is), or under ``"bernoulli"`` the chance
        that a document has each word. Covariates that act on the words are at their mean.

        Parameters
        ----------
        on, off
            Numbers or names of the factors that are switched on, and off; one, or several.
        given
            What the other factors are, and these before: None for their prevalence; probabilities
            ``(D,)``, or a state of zeros and ones, which the decoder reads as they are; or one
            document, as counts ``(1, V)`` or a list of (word id, count): then the vocabulary is
            averaged over the 64 most probable states that its words leave.
        covariates
            Those of the document, where the model has any.
        refine
            As for :meth:`states`, of the document.

        Returns
        -------
        Intervention
            Probabilities of all words ``(V,)`` before and after; ``gains(n)`` and ``losses(n)``,
            and how far the two are apart, in nats.

        Raises
        ------
        InputError
            When there is no such factor, none is named or one is to be both on and off, or
            ``given`` is none of these.
        """
        check_is_fitted(self)
        above, below = self._numbers("on", on), self._numbers("off", off)
        if not above and not below:
            raise InputError("intervene needs a factor to switch; give on=3 or off=['steam']")
        if both := set(above) & set(below):
            name = self.factor_names_[min(both)]
            raise InputError(f"factor {name!r} is to be both on and off; name it in one of the two")
        held = self._held(given, covariates, refine)
        changed = switch(held.states, above, below)
        before, after = self._vocabularies(np.stack([held.states, changed]), held.weights)
        presence = self._of_presence()
        likely, listed, names = held.weights @ held.states, self._stand_for(), self.factor_names_
        switched = [
            Switched(names[number], state, float(likely[number]), listed[names[number]])
            for numbers, state in ((above, True), (below, False))
            for number in numbers
        ]
        apart = divergences(before, after, presence)
        return Intervention(switched, held.kind, presence, self._words(), before, after, *apart)

    def interactions(
        self,
        pairs: Iterable[tuple[Factor, Factor]] | None = None,
        *,
        given: Any = None,
        covariates: Any = None,
        refine: int | str = "auto",
    ) -> Interactions:
        r"""What two factors do together beyond the sum of what each does, in nats.

        For a word v and the factors d and e, the others as given,
        :math:`I_v = \log p_v^{11} - \log p_v^{10} - \log p_v^{01} + \log p_v^{00}`, p with both on,
        one of them, none. Under a log-linear decoder it is minus the second difference of the
        log-normaliser, the same for every word: below 0 where the two raise the same words, which
        cannot be raised twice, above 0 where they raise different ones. Under an MLP, and under
        ``"bernoulli"``, every word has its own. A document of independent draws moves the log-odds
        of d by :math:`\sum_v x_v I_v` and the prior's coupling when e is switched on.

        Parameters
        ----------
        pairs
            Numbers or names of two factors each; None for all D(D − 1)/2 pairs.
        given, covariates, refine
            What the other factors are, as for :meth:`intervene`. A document takes 64 times as long
            as probabilities.

        Returns
        -------
        Interactions
            The strongest first: ``nats`` a token, the mean of I over the words that are drawn with
            both on, its ``spread`` over them, and the ``coupling`` of the prior: the same second
            difference of log p(z), J under ``prior="boltzmann"``, 0 where factors are independent.

        Raises
        ------
        InputError
            When a pair is not two different factors of the model.
        """
        check_is_fitted(self)
        asked = self._pairs(pairs)
        held = self._held(given, covariates, refine)
        step = max(1, BLOCK // (4 * len(held.weights) * int(self._joint().sizes.words)))
        words, names, found = self._words(), self.factor_names_, []
        for first in range(0, len(asked), step):
            some = asked[first : first + step]
            states = np.stack([_four(held.states, pair) for pair in some])  # (P, 4, S, D)
            couplings = self._coupled(states) @ held.weights
            shape = states.shape
            each = self._vocabularies(states.reshape(-1, *shape[2:]), held.weights)
            for pair, four, coupling in zip(
                some, each.reshape(*shape[:2], -1), couplings.tolist(), strict=True
            ):
                told = interaction(four, words)
                found.append(
                    Interaction(names[pair[0]], names[pair[1]], *told[:2], coupling, told[2])
                )
        found.sort(key=lambda pair: -abs(pair.nats))
        return Interactions(held.kind, self._of_presence(), found, self._stand_for())

    def _stand_for(self) -> dict[Factor, list[str]]:
        """A few words of every factor, by its number or name."""
        listed = [[word for word, _ in words] for words in self.top_words(LISTED)]
        return dict(zip(self.factor_names_, listed, strict=True))

    def _vocabularies(self, states: Floats, weights: Floats) -> Floats:
        """Word probabilities of groups of states ``(G, S, D)``, averaged over S, ``(G, V)``."""
        with threads(self.n_jobs), torch.no_grad():
            objective = copy.deepcopy(self.objective_).cpu().double().eval()
            values = torch.from_numpy(states).double().flatten(0, 1)
            logits = objective.word_logits(values[None])
            words = objective.joint.likelihood.word_probabilities(logits)[0]
            each = words.view(*states.shape[:2], -1)
            return np.asarray(torch.einsum("s,gsv->gv", torch.from_numpy(weights), each).numpy())

    def _coupled(self, states: Floats) -> Floats:
        """Second differences of log p(z) of pairs ``(P, 4, S, D)``, ``(P, S)`` nats."""
        prior = copy.deepcopy(self._joint().prior).cpu().double()
        if prior.independent:
            return np.zeros((states.shape[0], states.shape[2]))
        with torch.no_grad():
            logs = prior.condition(None).log_prob(torch.from_numpy(states).double()).numpy()
        return np.asarray(logs[:, 3] - logs[:, 1] - logs[:, 2] + logs[:, 0])

    def _of_presence(self) -> bool:
        return not self._joint().likelihood.silent

    def _pairs(self, pairs: Any) -> list[tuple[int, int]]:
        if pairs is None:
            return list(itertools.combinations(range(self._factors()), 2))
        asked = []
        for pair in pairs:
            numbers = [] if isinstance(pair, str | int) else self._numbers("pairs", pair)
            if len(numbers) != 2:
                raise InputError(
                    f"pairs must be two different factors each, as in [(0, 3)], got {pair!r}"
                )
            asked.append((numbers[0], numbers[1]))
        return asked


def _four(states: Floats, pair: tuple[int, int]) -> Floats:
    """States ``(4, S, D)``: neither of a pair on, the first, the second, both."""
    return np.stack(
        [
            switch(
                states,
                [pair[place] for place in on],
                [pair[place] for place in (0, 1) if place not in on],
            )
            for on in PAIR
        ]
    )
