"""Texts for stores: as many as wanted, of words that come as often as words do."""

import numpy as np

SYLLABLES = ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sta", "tre"]


def texts(number: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(SYLLABLES, rng.integers(2, 5))) for _ in range(400)]
    lengths = rng.poisson(12, number)
    drawn = np.minimum(rng.zipf(1.3, lengths.sum()) - 1, 399)
    ends = np.cumsum(lengths).tolist()
    return [
        " ".join(words[word] for word in drawn[begin:end])
        for begin, end in zip([0, *ends], ends, strict=False)
    ]
