"""Short labels for factors, from their words: distinct, and the same every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from topicfactors.insight.topics import Factors, evidence, rank, top_columns

JOINT = "_"  # between the words of a phrase
BETWEEN = " / "  # between the words of a label
POOL = 30  # words that are looked at for a label
PHRASE = 0.5  # of the best word's score, from which a phrase comes before it
STEM = 5  # letters that two words have in common, from which their endings alone differ
ENDING = 3  # letters of such endings at most
NAMELESS = "no words"

Scored = Sequence[tuple[str, float]]


def alike(one: str, other: str) -> bool:
    """Are two words forms of each other, as far as letters tell?

    >>> alike("engine", "engines"), alike("galaxy", "galaxies"), alike("steam", "steel")
    (True, True, False)
    """
    one, other = sorted((one.casefold(), other.casefold()), key=len)
    if other.startswith(one):
        return one == other or len(one) >= STEM - 1 or (len(one) > 2 and len(other) - len(one) <= 2)
    common = next(place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    endings = one[common:], other[common:]
    if endings == ("y", "ies"):
        return common > 1
    return common >= STEM and max(map(len, endings)) <= ENDING


def own_words(factors: Factors, names: Sequence[str]) -> list[list[tuple[str, float]]]:
    """The words that tell more about each factor than about any other, best first, with scores.

    Where a factor has none of its own, those that speak for it at all.
    """
    scores = evidence(factors)
    best = scores.argmax(0)
    listed = []
    for row, columns in enumerate(top_columns(rank(factors, "exclusive"), POOL)):
        told = [column for column in columns if scores[row, column] > 0]
        own = [column for column in told if best[column] == row]
        listed.append([(str(names[c]), float(scores[row, c])) for c in own or told])
    return listed


def word_labels(
    listed: Sequence[Scored],
    words: int = 3,
    usable: Callable[[str], bool] = bool,
) -> list[str]:
    """A label for each factor, made of its best words; no two the same.

    Parameters
    ----------
    listed
        The words of each factor with their scores, best first.
    words
        Words of a label. Forms of one word count once; phrases come first.
    usable
        Can this be a name? Else, or where another factor has the label, one more word is added.

    Examples
    --------
    >>> word_labels([[("engine", 2.0), ("engines", 1.9), ("steam_boiler", 1.5)]], 2)
    ['steam boiler / engine']
    """
    labels: list[str] = []
    for scored in listed:
        chosen = _chosen(scored)
        for count in range(words, max(words, len(chosen)) + 1):
            label = BETWEEN.join(chosen[:count]) or NAMELESS
            if label not in labels and usable(label):
                break
        labels.append(_distinct(label, labels, usable))
    return labels


def _chosen(scored: Scored) -> list[str]:
    """Words that are no forms of each other, phrases first; as people read them."""
    least = PHRASE * scored[0][1] if scored else 0.0
    phrases = [word for word, score in scored if JOINT in word.strip(JOINT) and score >= least]
    found: list[str] = []
    known: list[str] = []
    for word in dict.fromkeys([*phrases, *(word for word, _ in scored)]):
        parts = [part for part in word.split(JOINT) if part]
        if parts and word.isprintable() and not any(alike(p, k) for p in parts for k in known):
            found.append(" ".join(parts))
            known += parts
    return found


def _distinct(label: str, others: Sequence[str], usable: Callable[[str], bool]) -> str:
    """The label, with a number behind it where it is taken or no name."""
    if label not in others and usable(label):
        return label
    number = 2 if label in others else 1
    while (numbered := f"{label} ({number})") in others:
        number += 1
    return numbered
