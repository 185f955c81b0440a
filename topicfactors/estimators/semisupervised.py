"""Classification from few labels and many documents without one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import FitWarning
from topicfactors.estimators import class_parts
from topicfactors.estimators.base import resolve_device, seeded, threads
from topicfactors.estimators.checks import check_classifier
from topicfactors.estimators.combinations import costs
from topicfactors.estimators.component_frames import ClassFramesMixin
from topicfactors.estimators.labels import read_labels
from topicfactors.training.callbacks import Callback


class SemiSupervisedClassifier(ClassifierMixin, ClassFramesMixin):  # type: ignore[misc]
    r"""Classes of documents, learnt from those that have a label and those that have none.

    A generative model :math:`p(x, y)` explains all documents: those with a label through
    :math:`\log p(x, y)`, the others through :math:`\log \sum_y p(x, y)`, weighted λ. It teaches a
    linear classifier :math:`q(y \mid x)`, together with the labels themselves, weighted α; that one
    answers ``predict`` (α = 0: the generative posterior does).

    Parameters
    ----------
    components_per_class
        Clusters within each class.
    n_factors
        Binary factors that all classes share, with q(z | x, y); 0 for none.
    inference
        ``"em"``, ``"exact"`` (gradient), or with factors one of the estimators of
        :class:`BinaryFactorModel` but ``"truncated"``; ``"auto"``: em where its steps are closed,
        else exact; with more than 8 factors gumbel-softmax.
    likelihood, decoder, encoder
        As for :class:`BinaryFactorModel`; the default likelihood is ``"multinomial"``.
    tempering
        How far the words of a document are believed, as for :class:`MixtureModel`; ``"auto"`` is
        ``"unit"`` (``"none"`` for ``"bernoulli"``).
    smoothing
        Pseudo-tokens that pull the words of every component towards the corpus frequencies, as a
        share of the tokens that a component has on average; or ``"auto"``.
    unlabelled_weight
        λ, or ``"auto"``.
    discriminative_weight
        α, or ``"auto"``.
    class_prior
        ``"balanced"`` (the mean posterior is held to the shares of the labels), ``"labelled"``
        (fixed at the shares of the labels), ``"learnt"``, ``"uniform"``, a probability for each
        class in their sorted order, or ``"auto"``: balanced with fewer than 5 labels of a class,
        else labelled.
    calibrate
        Whether probabilities are scaled by a temperature that cross-validation finds, where every
        class has 2 labels or more.
    max_iter
        Passes over the documents; None for 15 with em, 5 with the exact gradient, else 40. More
        passes leave the labels behind.
    batch_size, learning_rate, tol, device, random_state, n_jobs, verbose, callbacks
        As for :class:`MixtureModel`.

    Attributes
    ----------
    classes_ : (C,)
        The classes, sorted.
    components_ : (C·M, V)
        Log-probabilities of the words of each component, nats; M components of the first class come
        first.
    weights_ : (C·M,)
        Probability of each component before any word is seen; under ``"balanced"`` the offsets
        that hold the mean posterior, and ``prevalence_`` says how common each is.
    class_of_component_ : (C·M,)
        Which class each belongs to.
    chosen_ : dict
        What ``"auto"`` came to.
    class_prior_ : str or array
        What the class prior was, where ``"auto"`` was asked for.
    cross_validation_ : list of Trial
        What was tried, with its accuracy and log-loss on labels that were hidden; empty where
        nothing was.
    class_prior_ : str or array
        What was used, where ``"auto"`` was asked for.
    temperature_ : float
        What the logits are divided by.
    reliability_ : Reliability or None
        Calibration on labels that were hidden; None with one label a class.
    history_, n_iter_, inference_, init_, tempering_, prevalence_, status_
        As for :class:`MixtureModel`.

    References
    ----------
    Nigam et al. (2000); Kingma et al. (2014), https://arxiv.org/abs/1406.5298; Rennie et al.
    (2003). docs/semisupervised.md.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> labels = ["steam", "stars"] + [None] * 18
    >>> model = SemiSupervisedClassifier(random_state=0).fit(counts, labels)
    >>> print(*model.predict(counts[2:4]))
    steam stars
    """

    def __init__(
        self,
        *,
        components_per_class: int = 1,
        n_factors: int = 0,
        inference: str | Callable[..., Any] = "auto",
        likelihood: str | Callable[..., Any] = "multinomial",
        decoder: str | Callable[..., Any] = "log-linear",
        encoder: str | Callable[..., Any] = "bag-of-words",
        tempering: str | Callable[..., Any] = "auto",
        smoothing: float | str = "auto",
        unlabelled_weight: float | str = "auto",
        discriminative_weight: float | str = "auto",
        class_prior: str | ArrayLike = "auto",
        calibrate: bool = True,
        max_iter: int | None = None,
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        tol: float = 1e-6,
        device: str = "auto",
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        callbacks: Sequence[Callback] | None = None,
    ) -> None:
        self.components_per_class = components_per_class
        self.n_factors = n_factors
        self.inference = inference
        self.likelihood = likelihood
        self.decoder = decoder
        self.encoder = encoder
        self.tempering = tempering
        self.smoothing = smoothing
        self.unlabelled_weight = unlabelled_weight
        self.discriminative_weight = discriminative_weight
        self.class_prior = class_prior
        self.calibrate = calibrate
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.tol = tol
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        feature_names: ArrayLike | None = None,
        id2word: Any = None,
    ) -> SemiSupervisedClassifier:
        """Fit to counts, some of which have a label.

        Parameters
        ----------
        X
            Counts ``(N, V)``; or bags of words of gensim's.
        y
            Labels ``(N,)``: whole numbers with -1 where unseen, or strings (or anything that sorts)
            with None where unseen.
        feature_names
            The word of each column, ``(V,)``, where ``X`` does not carry them itself.
        id2word
            For bags of words: a gensim Dictionary, or a dict of ids to words.

        Raises
        ------
        InputError
            When the counts or the labels cannot be used.
        ConfigurationError
            When a parameter is out of range or parts do not fit together.
        FitError
            When training fails before there is anything to keep.
        """
        check_classifier(self)
        parts = class_parts.choose_classifier(self.get_params(deep=False))
        device = resolve_device(self.device)
        with (
            threads(self.n_jobs),
            seeded(self.random_state, device) as seed,
            self._whole_or_not_at_all(False),
        ):
            counts = self._counted(X, feature_names, id2word)
            labels = read_labels(y, counts.shape[0])
            if expensive := costs(parts.inference, parts.decoder, self.n_factors):
                warnings.warn(expensive, FitWarning, stacklevel=2)
            history = self._fit_classes(counts, labels, parts, device, seed)
            self._order_words_after(counts, history)
        self._pass_on(history)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # on points of a plane, as naive Bayes has it
        return tags

    @property
    def factor_names_(self) -> list[int | str]:
        """What every component is called: its class, and its number within it where it has some."""
        per = self.components_per_class
        names = [str(self.classes_[label]) for label in self.class_of_component_]
        if per == 1:
            return list(names)
        return [f"{name}.{place % per}" for place, name in enumerate(names)]

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of every document of counts ``X (N, V)``, ``(N,)``."""
        best = self.predict_log_proba(X).argmax(1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """P(class | document) of counts ``X (N, V)``, ``(N, C)``; rows sum to one."""
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Log P(class | document) of counts ``X (N, V)``, ``(N, C)`` nats."""
        check_is_fitted(self)
        return self._log_classes(self._evidence(self._observed(X)))
