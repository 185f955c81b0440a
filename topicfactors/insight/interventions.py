r"""What the vocabulary does when factors are switched on or off, alone and in pairs.

An intervention sets some factors and leaves the others as they are given, so it says what the
*model* does, not what goes with a factor in the corpus. See docs/mathematics.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Decode = Callable[[Floats], Floats]  # states (S, D) to word probabilities (S, V)

SHOWN = 10  # words, or pairs, in the text of a result
NAMED = 4  # words beside the number of a factor
TWO = 2  # words beside each factor of a pair
ALIKE = 1e-6  # nats between words that are rounding
LEAST = 1e-300  # of a probability, before its logarithm


class Switched(NamedTuple):
    """A factor that was set."""

    factor: int | str  # its number, or the name that a user gave it
    on: bool  # what it was set to
    probability: float  # P(on) before
    top_words: list[str]


class Moved(NamedTuple):
    """A word before and after."""

    word: str
    before: float  # probability
    after: float
    nats: float  # log(after / before)


class Intervention(NamedTuple):
    """The vocabulary before and after some factors were set; ``print`` shows it as text."""

    switched: list[Switched]
    given: str  # the other factors: "prevalence", "probabilities" or "document"
    presence: bool  # probabilities of words in a document; else of the next token, sum one
    words: NDArray[np.object_]  # (V,)
    before: Floats  # (V,)
    after: Floats  # (V,)
    kl: float  # KL(after ‖ before), nats a token, or a document where ``presence``
    js: float  # Jensen–Shannon divergence, likewise; at most log 2 a token

    @property
    def nats(self) -> Floats:
        """Log(after / before) of every word, ``(V,)``."""
        return _log(self.after) - _log(self.before)

    def gains(self, n: int = SHOWN) -> list[Moved]:
        """The words that gain most, by (after − before)·log(after / before)."""
        return self._most(1.0, n)

    def losses(self, n: int = SHOWN) -> list[Moved]:
        """The words that lose most, by the same measure."""
        return self._most(-1.0, n)

    def table(self) -> dict[str, NDArray[Any]]:
        """Columns for a data frame, a row a word: word, before, after, nats."""
        columns = {"before": self.before, "after": self.after, "nats": self.nats}
        return {"word": self.words, **columns}

    def __str__(self) -> str:
        return self.text()

    def text(self, n: int = SHOWN) -> str:
        """What was switched, how far apart the two are, and ``n`` words each way."""
        others = {
            "prevalence": "the other factors at their prevalence",
            "probabilities": "the other factors as given",
            "document": "the other factors as the document's words say",
        }[self.given]
        per = "a document" if self.presence else "a token"
        what = "chances of words in a document" if self.presence else "word probabilities"
        lines = [
            *(_switch(each) for each in self.switched),
            f"{what}, {others}: KL {self.kl:.3f} nats {per}, Jensen–Shannon {self.js:.3f}",
        ]
        for name, listed in (("gain", self.gains(n)), ("lose", self.losses(n))):
            lines += [f"{name}:", *map(_moved, listed)] if listed else [f"{name}: no word"]
        return "\n".join(lines)

    def _most(self, sign: float, n: int) -> list[Moved]:
        change, nats = self.after - self.before, self.nats
        order = np.argsort(-change * sign * np.abs(nats), kind="stable")[:n]
        return [
            Moved(str(self.words[v]), float(self.before[v]), float(self.after[v]), float(nats[v]))
            for v in order
            if change[v] * sign > 0 and abs(nats[v]) > ALIKE
        ]


class Interaction(NamedTuple):
    """What two factors do together beyond what each does alone."""

    first: int | str
    second: int | str
    nats: float  # a token, mean over the words with both on
    spread: float  # standard deviation over those words; 0 where all interact alike
    coupling: float  # of the prior, nats of log-odds
    words: list[tuple[str, float]]  # that differ most from the mean; their nats


class Interactions(NamedTuple):
    """Pairs of factors, the strongest interaction first; ``print`` shows it as text."""

    given: str  # the other factors, as in :class:`Intervention`
    presence: bool
    pairs: list[Interaction]
    top_words: dict[int | str, list[str]]  # of each factor

    def table(self) -> dict[str, list[Any]]:
        """Columns for a data frame, a row a pair: first, second, nats, spread, coupling."""
        names = ("first", "second", "nats", "spread", "coupling")
        return {name: [getattr(pair, name) for pair in self.pairs] for name in names}

    def __str__(self) -> str:
        lines = ["together beyond the sum of each, nats a token (below 0: they share words)"]
        for pair in self.pairs[:SHOWN]:
            told = f"{self._called(pair.first)}, {self._called(pair.second)}: {pair.nats:+.3f}"
            if pair.spread > ALIKE:
                told += f" ± {pair.spread:.3f} over words"
            if pair.coupling:
                told += f", prior {pair.coupling:+.2f}"
            if pair.words:
                told += f" ({', '.join(f'{word} {nats:+.2f}' for word, nats in pair.words)})"
            lines.append(told)
        if len(self.pairs) > SHOWN:
            lines.append(f"and {len(self.pairs) - SHOWN} more pairs")
        return "\n".join(lines)

    def _called(self, factor: int | str) -> str:
        return f"{factor} ({' '.join(self.top_words[factor][:TWO])})"


def switch(states: Floats, on: Sequence[int], off: Sequence[int]) -> Floats:
    """States ``(S, D)`` with some factors set.

    >>> switch(np.array([[0.2, 0.5, 1.0]]), [0], [2]).tolist()
    [[1.0, 0.5, 0.0]]
    """
    changed = states.copy()
    changed[:, list(on)], changed[:, list(off)] = 1.0, 0.0
    return changed


def divergences(before: Floats, after: Floats, presence: bool = False) -> tuple[float, float]:
    """KL(after ‖ before) and the Jensen–Shannon divergence, in nats.

    Of the distribution of a token ``(V,)``; of independent presences, summed over the words, where
    ``presence``.

    >>> [round(nats, 4) for nats in divergences(np.array([0.5, 0.5]), np.array([0.75, 0.25]))]
    [0.1308, 0.0338]
    """
    middle = (before + after) / 2
    kl, halves = _kl(after, before), _kl(after, middle) + _kl(before, middle)
    if presence:
        kl += _kl(1 - after, 1 - before)
        halves += _kl(1 - after, 1 - middle) + _kl(1 - before, 1 - middle)
    return max(kl, 0.0), max(halves / 2, 0.0)


def interaction(four: Floats, words: NDArray[np.object_], n: int = 3) -> tuple[float, float, Any]:
    r"""How a pair of factors interacts: mean nats, their spread, and the words that differ.

    ``four (4, V)`` are the word probabilities with neither on, the first, the second, both:
    :math:`I_v = \log p^{11}_v - \log p^{10}_v - \log p^{01}_v + \log p^{00}_v`, averaged over words
    with the probabilities :math:`p^{11}` (divided by their sum).

    >>> apart = np.array([[0.5, 0.25, 0.25], [0.4, 0.4, 0.2], [0.4, 0.2, 0.4], [1/3, 1/3, 1/3]])
    >>> round(interaction(apart, np.array(["a", "b", "c"]))[0], 4)
    0.0408
    """
    logs = _log(four)
    each = logs[3] - logs[1] - logs[2] + logs[0]
    weights = four[3] / four[3].sum()
    mean = float(weights @ each)
    spread = float(np.sqrt(weights @ (each - mean) ** 2))
    if spread <= ALIKE:
        return mean, 0.0, []
    order = np.argsort(-weights * np.abs(each - mean), kind="stable")[:n]
    return mean, spread, [(str(words[v]), float(each[v])) for v in order]


def _log(probabilities: Floats) -> Floats:
    return np.log(np.maximum(probabilities, LEAST))


def _kl(p: Floats, q: Floats) -> float:
    return float(np.sum(p * (_log(p) - _log(q))))


def _switch(each: Switched) -> str:
    state = "on" if each.on else "off"
    named = " ".join(each.top_words[:NAMED])
    return f"factor {each.factor} ({named}) {state}, before on with {each.probability:.2f}"


def _moved(each: Moved) -> str:
    return f"  {each.word:<20} {each.before:8.3%} → {each.after:8.3%}  {each.nats:+.2f} nats"
