"""Why a factor is on in a document: its log-odds as an exact sum over the prior and the words.

With the other factors held, log p(x, z_d = 1) − log p(x, z_d = 0) is the log-odds of the prior, a
number of nats for every distinct word of the document, and what belongs to no word: nothing for
``multinomial`` and ``polya``, where a word is worth log p(word | on) / p(word | off) a token; the
length for ``poisson``; the words that are absent for ``bernoulli``. See docs/mathematics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from topicfactors.contracts import CountBatch
from topicfactors.errors import ConfigurationError

SHOWN_FOR, SHOWN_AGAINST = 8, 4  # words of a factor in the text of an explanation


class Shares(NamedTuple):
    """The log-odds of every factor given the others, taken apart; all in nats."""

    prior: Tensor  # (B, D)
    rest: Tensor  # (B, D), of no word
    words: Tensor  # (D, nnz)


class WordEvidence(NamedTuple):
    """What one distinct word of a document says of a factor."""

    word: str
    tokens: float
    nats: float  # of log-odds, all its tokens together


class FactorEvidence(NamedTuple):
    """Why a factor is on or off: ``log_odds = prior + rest + Σ nats of the words``."""

    factor: int | str  # its number, or the name that a user gave it
    top_words: list[str]  # what the factor stands for
    probability: float  # P(on | document)
    log_odds: float  # nats, the other factors as in the most probable state
    prior: float  # before any word
    rest: float  # the part named by ``Explanation.remainder``
    words: list[WordEvidence]  # from the strongest for to the strongest against


class Explanation(NamedTuple):
    """Which factors are on in a document, and which words say so; ``print`` shows it as text."""

    tokens: float  # of the vocabulary, as the likelihood observes them
    unknown: list[str]  # words that are not in it, in their order
    state: list[int | str]  # the factors that are on in the most probable state
    state_probability: float
    posterior: str  # "exact", or "searched"
    remainder: str  # what ``rest`` is: "", "length" or "absent words"
    factors: list[FactorEvidence]  # all of them, the most probable first

    def __str__(self) -> str:
        return "\n".join([*self._overview(), *self._reasons()])

    def on(self) -> list[FactorEvidence]:
        """The factors that are more likely on than off."""
        return [found for found in self.factors if found.probability > 0.5]

    def _overview(self) -> list[str]:
        known = f"{self.tokens:g} word{'' if self.tokens == 1 else 's'} of the vocabulary"
        if self.unknown:
            first = ", ".join(dict.fromkeys(self.unknown[:5]))
            more = ", …" if len(self.unknown) > 5 else ""
            others = "1 other" if len(self.unknown) == 1 else f"{len(self.unknown)} others"
            known += f", {others} ({first}{more})"
        many = "factors" if len(self.state) > 1 else "factor"
        state = f"{many} {', '.join(map(str, self.state))} on" if self.state else "no factor on"
        found = f"most probable state: {state} (probability {self.state_probability:.2f})"
        return [known, found]

    def _reasons(self) -> list[str]:
        found = self.on()
        if found:
            return [line for factor in found for line in self._lines(factor)]
        return ["", "no factor is more likely on than off; the nearest:"] + [
            line for factor in self.factors[:1] for line in self._lines(factor)
        ]

    def _lines(self, found: FactorEvidence) -> list[str]:
        total = sum(word.nats for word in found.words)
        rest = f", {self.remainder} {found.rest:+.2f}" if self.remainder else ""
        words = [word for word in found.words if word.nats > 0][:SHOWN_FOR]
        against = [word for word in found.words[::-1] if word.nats < 0][:SHOWN_AGAINST]
        others = len(found.words) - len(words) - len(against)
        left = total - sum(word.nats for word in (*words, *against))
        lines = [
            "",
            f"factor {found.factor} ({' '.join(found.top_words)})",
            f"  on with probability {found.probability:.2f}; given the others, log-odds "
            f"{found.log_odds:+.2f} nats = prior {found.prior:+.2f}{rest}, words {total:+.2f}",
        ]
        for name, listed in (("for", words), ("against", against)):
            if listed:
                lines.append(f"  {name + ':':<9}{', '.join(map(_shown, listed))}")
        if others:
            more = "1 more word" if others == 1 else f"{others} more words, together"
            lines.append(f"  {'others:':<9}{more} {left:+.2f}")
        return lines


def _shown(word: WordEvidence) -> str:
    times = f" ({word.tokens:g}×)" if word.tokens != 1 else ""
    return f"{word.word} {word.nats:+.2f}{times}"


def shares(joint: Any, counts: CountBatch, bits: Tensor) -> Shares:
    """Take apart log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest) for every factor.

    Parameters
    ----------
    joint
        The model.
    counts
        What its likelihood observes, of B documents.
    bits
        The state around which factors are switched, ``(B, D)``.
    """
    factors = bits.shape[1]
    chosen = torch.eye(factors, dtype=torch.bool, device=bits.device)[:, None]  # (D, 1, D)
    on, off = bits.masked_fill(chosen, 1.0), bits.masked_fill(chosen, 0.0)
    words, rest = joint.likelihood.terms(counts, joint.logits(on))
    without, rest_without = joint.likelihood.terms(counts, joint.logits(off))
    _check(joint, counts, joint.logits(on), words, rest)
    prior = joint.prior.condition(None).log_odds(bits[None])[0].detach().expand_as(bits)
    return Shares(prior, (rest - rest_without).t(), words - without)


def _check(joint: Any, counts: CountBatch, logits: Any, words: Tensor, rest: Tensor) -> None:
    """Refuse a likelihood whose parts do not add up to it, as one that inherits them may."""
    whole = joint.likelihood.assemble(
        counts, logits, logits.dot(counts), joint.likelihood.norm(logits)
    )
    total = torch.stack([counts.sum_by_document(part) for part in words]) + rest
    if not torch.allclose(total, whole, rtol=1e-5, atol=1e-3):
        raise ConfigurationError(
            f"the terms of {type(joint.likelihood).__name__} do not add up to its log-probability; "
            "a likelihood with an assemble of its own needs terms of its own"
        )


def explained(
    found: Shares,
    counts: CountBatch,
    lengths: Sequence[float],
    names: Sequence[str],
    states: tuple[Tensor, Tensor],
    marginals: Tensor,
    top_words: Sequence[list[str]],
) -> list[Explanation]:
    """Shares as explanations, one a document.

    ``states`` are the most probable states ``(B, D)`` and their probabilities ``(B,)``,
    ``marginals (B, D)`` P(on | document), ``lengths`` the tokens of each document, ``top_words``
    those of each factor.
    """
    bits, probabilities = states
    results = []
    for row, length in enumerate(lengths):
        places = torch.nonzero(counts.documents == row).ravel()
        words = [names[int(column)] for column in counts.indices[places]]
        times = counts.values[places].tolist()
        factors = []
        for factor in range(bits.shape[1]):
            nats = found.words[factor, places]
            listed = list(map(WordEvidence, words, times, nats.tolist()))
            listed.sort(key=lambda word: -word.nats)
            prior, rest = float(found.prior[row, factor]), float(found.rest[row, factor])
            log_odds = prior + rest + float(nats.sum())
            marginal = float(marginals[row, factor])
            factors.append(
                FactorEvidence(factor, top_words[factor], marginal, log_odds, prior, rest, listed)
            )
        factors.sort(key=lambda factor: (-factor.probability, -factor.log_odds))
        state = torch.nonzero(bits[row] > 0.5).ravel().tolist()
        results.append(Explanation(length, [], state, float(probabilities[row]), "", "", factors))
    return results
