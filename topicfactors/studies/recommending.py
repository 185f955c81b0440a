"""Which number of factors to take, and why, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

CLEARER = 1.05  # times the coherence, from which other factors are said to read better
COMES_BACK = 0.75  # share of the factors that come back, from which a number is called stable


class Candidate(NamedTuple):
    """What is weighed of one number of factors."""

    k: int
    behind: float  # nats a token of held-out score that it is behind the best
    error: float  # standard error of that difference
    came_back: float | None  # share of its factors that come back; None for one run
    coherent: float | None  # NPMI x diversity; None where NPMI is not above 0

    @property
    def within(self) -> bool:
        """Is it as good as the best, as far as these documents tell?"""
        return self.behind <= self.error


class Recommendation(NamedTuple):
    """A number of factors."""

    k: int
    why: str
    otherwise: list[str]  # what the other numbers trade, and what would change this one


def recommend(candidates: Sequence[Candidate], score: str) -> Recommendation:
    """The smallest number within one standard error of the best score whose factors come back.

    Where those of none do, the smallest within one standard error alone. (Breiman, Friedman,
    Olshen and Stone (1984), "Classification and Regression Trees", have the rule of one error.)

    Parameters
    ----------
    candidates
        In ascending order.
    score
        What was scored, for the words.
    """
    within = [each for each in candidates if each.within]
    steady = [each for each in within if (each.came_back or 0) >= COMES_BACK]
    chosen = (steady or within)[0]
    best = min(candidates, key=lambda each: each.behind)
    return Recommendation(
        chosen.k,
        _why(chosen, best, within, score),
        [*_others(chosen, best, candidates), *_further(chosen, candidates)],
    )


def _why(chosen: Candidate, best: Candidate, within: Sequence[Candidate], score: str) -> str:
    known = chosen.came_back
    share = "" if known is None else f"{known:.0%} of its factors come back with other seeds"
    smaller = [str(each.k) for each in within if each.k < chosen.k]
    if chosen is best:
        place = f"it has the best {score}"
    else:
        place = (
            f"its {score} is within one standard error of the best (k = {best.k}: "
            f"{_percent(chosen.behind)} ± {_percent(chosen.error)} better)"
        )
    if known is None:
        return f"{place}, and no smaller number is as good; one run says nothing of stability"
    if known >= COMES_BACK and smaller:
        return f"{place}, and {share}, which those of k = {', '.join(smaller)} do less"
    if known >= COMES_BACK:
        return f"{place}, no smaller number is as good, and {share}"
    return (
        f"{place}, and no smaller number is as good; but only {share}, and of no number that "
        f"scores as well do {COMES_BACK:.0%}"
    )


def _others(chosen: Candidate, best: Candidate, candidates: Sequence[Candidate]) -> list[str]:
    """What the other numbers trade."""
    lines = []
    if best.k != chosen.k:
        lost = "" if best.came_back is None else f", and {best.came_back:.0%} of them come back"
        lines.append(
            f"k = {best.k} predicts {_percent(chosen.behind)} better{lost}: for prediction alone"
        )
    coherent = [each for each in candidates if each.coherent is not None]
    read = max(coherent, key=lambda each: each.coherent or 0, default=chosen)
    clearer = (read.coherent or 0) > CLEARER * (chosen.coherent or 0)
    if clearer and read.k not in (chosen.k, best.k):
        lines.append(
            f"k = {read.k} reads best (NPMI x diversity {read.coherent:.2f}"
            + ("" if chosen.coherent is None else f", here {chosen.coherent:.2f}")
            + f"), {_against(read, chosen)}"
        )
    told = [each for each in candidates if each.came_back is not None]
    firm = max(told, key=lambda each: (each.came_back or 0, -each.behind), default=chosen)
    if (firm.came_back or 0) > (chosen.came_back or 0) and firm.k not in (best.k, read.k):
        lines.append(
            f"k = {firm.k} has the steadiest factors ({firm.came_back:.0%} come back), "
            f"{_against(firm, chosen)}"
        )
    return lines


def _further(chosen: Candidate, candidates: Sequence[Candidate]) -> list[str]:
    """What would change the recommendation."""
    first, last = candidates[0].k, candidates[-1].k
    lines = []
    if chosen.k == last and len(candidates) > 1:
        lines.append(f"it is the largest number that was tried; try more, such as k = {2 * last}")
    elif chosen.k == first and first > 1 and len(candidates) > 1:
        lines.append(
            f"it is the smallest number that was tried; try fewer, such as k = {first // 2}"
        )
    if chosen.came_back is None:
        lines.append("with more seeds (--runs 3) it would be known which factors come back")
    elif chosen.error > 0 and any(each.within for each in candidates if each is not chosen):
        lines.append("more held-out documents or seeds would tell numbers apart that are one here")
    return lines


def _against(other: Candidate, chosen: Candidate) -> str:
    """How much worse, or better, another number predicts."""
    better = min(other, chosen, key=lambda each: each.behind)
    apart = _percent(abs(other.behind - chosen.behind))
    return f"{apart} {'better' if better is other else 'worse'} in prediction"


def _percent(nats: float) -> str:
    """A difference of nats a token as one of perplexity.

    >>> _percent(0.01)
    '1.0%'
    """
    return f"{100 * math.expm1(nats):.1f}%"
