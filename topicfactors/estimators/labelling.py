"""Labels of factors from their words."""

from __future__ import annotations

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.naming import check_name
from topicfactors.estimators.wording import WordingMixin
from topicfactors.insight.labels import own_words, word_labels
from topicfactors.values import whole


class LabellingMixin(WordingMixin):
    """label_factors."""

    def label_factors(self, n_words: int = 3) -> list[str]:
        """A short label for each factor (or component), made of the words that are most its own.

        Labels are distinct, and the same every time. Forms of one word count once, and phrases of
        the vocabulary come first. ``model.set_names(model.label_factors())`` makes them names.

        Parameters
        ----------
        n_words
            Words of a label; more where two would be the same.

        Raises
        ------
        ConfigurationError
            When ``n_words`` is not a whole number of 1 or more.

        Examples
        --------
        >>> import numpy as np
        >>> from topicfactors import MixtureModel
        >>> words = ["engine", "engines", "salt", "acid"]
        >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 4, 3]] * 5)
        >>> model = MixtureModel(2, random_state=0).fit(counts, feature_names=words)
        >>> sorted(model.label_factors())
        ['engine', 'salt / acid']
        """
        whole("n_words", n_words, 1)
        listed = own_words(self.factors(), self._words().tolist())
        return word_labels(listed, n_words, is_name)


def is_name(label: str) -> bool:
    """Can a factor be called so?"""
    try:
        check_name("a label", label)
    except ConfigurationError:
        return False
    return True
