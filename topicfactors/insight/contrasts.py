"""Why one component and not another: log-odds as an exact sum over the prior and the words.

Where components compete, what a document says for one of them is measured against the best of the
others: log p(x, y = k) − log p(x, y = j) is the difference of the priors, a number of nats for
every distinct word, and what belongs to no word (the length, or the absent words).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.insight.evidence import Explanation, FactorEvidence, WordEvidence

Array = NDArray[np.float64]


class Scores(NamedTuple):
    """log p(x, y) of one document taken apart, for every component; nats, up to one constant."""

    prior: Array  # (K,)
    rest: Array  # (K,) of no word
    words: Array  # (K, n) of each distinct word

    def total(self) -> Array:
        """Their sum, ``(K,)``."""
        return np.asarray(self.prior + self.rest + self.words.sum(1))


def contrasted(
    scores: Scores,
    words: Sequence[str],
    tokens: Sequence[float],
    probabilities: Array,
    top_words: Sequence[list[str]],
    called: Sequence[int | str],
    noun: str,
    remainder: str = "",
) -> Explanation:
    """Every component against the best of the others, the most probable first.

    Parameters
    ----------
    scores
        Of the document.
    words, tokens
        Its distinct words, and how often each is there.
    probabilities
        p(y | x), ``(K,)``.
    top_words, called
        What each component stands for, and its number or name.
    noun
        ``"component"`` or ``"class"``.
    remainder
        What ``scores.rest`` is.

    >>> scores = Scores(np.zeros(2), np.zeros(2), np.array([[2.0], [-1.0]]))
    >>> found = contrasted(scores, ["steam"], [1.0], np.array([0.95, 0.05]), [[], []], [0, 1], "x")
    >>> found.factors[0].log_odds, found.factors[0].against
    (3.0, 1)
    """
    total, evidence = scores.total(), []
    for component in range(len(total)):
        others = np.where(np.arange(len(total)) == component, -np.inf, total)
        other = int(others.argmax())
        nats = scores.words[component] - scores.words[other]
        listed = sorted(map(WordEvidence, words, tokens, nats.tolist()), key=lambda w: -w.nats)
        evidence.append(
            FactorEvidence(
                called[component],
                top_words[component],
                float(probabilities[component]),
                float(total[component] - total[other]),
                float(scores.prior[component] - scores.prior[other]),
                float(scores.rest[component] - scores.rest[other]),
                listed,
                called[other],
            )
        )
    evidence.sort(key=lambda found: (-found.probability, -found.log_odds))
    best = evidence[0]
    length = float(sum(tokens))
    return Explanation(
        length, [], [best.factor], best.probability, "exact", remainder, evidence, noun
    )
