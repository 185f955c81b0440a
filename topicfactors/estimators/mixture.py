"""Mixtures over documents: every document comes from one component."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, DensityMixin

from topicfactors.errors import FitWarning
from topicfactors.estimators import class_parts
from topicfactors.estimators.answering import AnsweringMixin
from topicfactors.estimators.base import resolve_device, seeded, threads
from topicfactors.estimators.checks import check_components
from topicfactors.estimators.component_editing import ComponentEditingMixin
from topicfactors.estimators.component_fitting import ComponentFittingMixin, emptied
from topicfactors.estimators.component_frames import MixtureFramesMixin
from topicfactors.estimators.component_tasks import Task
from topicfactors.estimators.components import ComponentsMixin
from topicfactors.estimators.drawing import DrawingMixin
from topicfactors.estimators.responding import as_responses
from topicfactors.training import em
from topicfactors.training.callbacks import Callback


class MixtureModel(
    ComponentEditingMixin,
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    DensityMixin,  # type: ignore[misc]
    MixtureFramesMixin,
    DrawingMixin,
    AnsweringMixin,
    ComponentFittingMixin,
):
    r"""Documents that come from one of K components each: clusters of documents.

    :math:`y \sim \mathrm{Categorical}(\pi)` and the words of a document are drawn with the
    probabilities :math:`\mathrm{softmax}(b + U_y)`. Components compete: the rows of
    ``predict_proba`` sum to one, and the posterior is exact.

    Parameters
    ----------
    n_components
        Number of components K.
    inference
        ``"em"`` (closed steps; for multinomial tables), ``"exact"`` (the gradient of log p(x) in
        mini-batches; for every likelihood and decoder, and for GPUs), ``"gumbel-softmax"`` (a
        relaxed posterior, only to be compared) or ``"auto"``: em where it can be, else exact.
    likelihood
        ``"multinomial"``, ``"polya"``, ``"poisson"`` or ``"bernoulli"``; see
        :class:`BinaryFactorModel`.
    decoder
        ``"log-linear"``, a table of word probabilities, or ``"mlp"``.
    encoder
        Of ``"gumbel-softmax"``: ``"bag-of-words"``, with ``width``, ``layers`` and ``dropout``.
    init
        Where the components start: ``"clusters"`` (k-means on a truncated SVD of tf-idf) or
        ``"random"``.
    n_init
        Starts, of which the one is kept whose objective is highest; ``"auto"`` is 10 for em and 1
        otherwise.
    tempering
        How far a document's words are believed when its component is asked for: ``"length"``
        (counts times min(1, 3/√n), n its tokens), ``"unit"``, ``"none"``, or ``"auto"``: length,
        but none for ``"bernoulli"``. Components are fitted to, and posteriors are of, the
        tempered counts; ``score``, ``bic`` and their like are of the raw ones.
    smoothing
        Pseudo-tokens that pull the words of every component towards the corpus frequencies, as a
        share of the tokens that a component has on average.
    weight_smoothing
        Pseudo-documents that every component begins with.
    covariates, covariate_shrinkage
        As for :class:`BinaryFactorModel`; they move p(component), the words, or both, and are
        fitted by the gradient.
    response
        How the ``response`` that ``fit`` is given is drawn in each component: ``"gaussian"`` or
        ``"poisson"``, with ``weight`` (docs/responses.md).
    max_iter
        Most passes over the documents for each start; None for 100 with em, else 40.
    batch_size, learning_rate
        Of the gradient: documents a step, and its highest rate; ``"auto"`` for 256 (fewer in small
        corpora) and 0.02.
    validation_fraction
        Share of the documents held out. The gradient stops early by them; em takes no notice of
        them, and they are only scored.
    n_iter_no_change
        Passes of the gradient without progress of the held-out score before training ends.
    tol
        Relative progress of the objective below which it has converged.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``. (em itself runs on the CPU.)
    random_state
        Seed. The same seed, machine and number of threads give the same bits.
    n_jobs
        Threads; None for torch's own choice, -1 for all cores.
    verbose
        1 prints a line a pass to stderr.
    callbacks
        Functions told of every :class:`~topicfactors.training.callbacks.Epoch`.

    Attributes
    ----------
    components_ : (K, V)
        Log-probabilities of the words of each component, nats. Components are sorted by weight.
    weights_ : (K,)
        Probability of each component.
    topic_word_ : (K, V)
        Word probabilities of each component.
    prevalence_ : (K,)
        Mean posterior probability over the training documents.
    status_ : list of str
        ``"active"``, ``"dead"`` or ``"always-on"`` for each component.
    response_means_, response_deviations_ : (K,)
        Expected response of each component and its standard deviation; empty without responses.
    reseeded_ : list of int
        Components that became empty on the way and were begun anew from the documents explained
        worst; by their numbers in the end.
    converged_ : bool
        Whether the objective had settled when the fit ended.
    objective_value_ : float
        What was maximised, nats: log p(evidence) plus the logs of the Dirichlet priors.
    history_ : list of Epoch
        One entry for each pass of the start that was kept.
    n_iter_, best_iter_ : int
        Passes made, and the one whose parameters were kept.
    held_out_ : dict of Evaluation
        Exact score of the documents that were held out, the unigram beside it; empty where none
        were.
    inference_, init_, tempering_ : str
        What was used, where ``"auto"`` was asked for.

    References
    ----------
    Nigam, McCallum, Thrun and Mitchell (2000), "Text Classification from Labeled and Unlabeled
    Documents using EM", Machine Learning 39. docs/mixture.md.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> model = MixtureModel(2, random_state=0).fit(counts)
    >>> labels = model.predict(counts)
    >>> bool(labels[0] == labels[2] != labels[1])
    True
    """

    def __init__(
        self,
        n_components: int = 10,
        *,
        inference: str | Callable[..., Any] = "auto",
        likelihood: str | Callable[..., Any] = "multinomial",
        decoder: str | Callable[..., Any] = "log-linear",
        encoder: str | Callable[..., Any] = "bag-of-words",
        init: str | Callable[..., Any] = "clusters",
        n_init: int | str = "auto",
        tempering: str | Callable[..., Any] = "auto",
        smoothing: float = 0.5,
        weight_smoothing: float = 1.0,
        covariates: str | Sequence[str] | None = None,
        covariate_shrinkage: float = 1.0,
        response: str | Callable[..., Any] = "gaussian",
        max_iter: int | None = None,
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        validation_fraction: float = 0.0,
        n_iter_no_change: int = 8,
        tol: float = 1e-6,
        device: str = "auto",
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        callbacks: Sequence[Callback] | None = None,
    ) -> None:
        self.n_components = n_components
        self.inference = inference
        self.likelihood = likelihood
        self.decoder = decoder
        self.encoder = encoder
        self.init = init
        self.n_init = n_init
        self.tempering = tempering
        self.smoothing = smoothing
        self.weight_smoothing = weight_smoothing
        self.covariates = covariates
        self.covariate_shrinkage = covariate_shrinkage
        self.response = response
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks

    def fit(
        self,
        X: Any,
        y: object = None,
        *,
        covariates: Any = None,
        feature_names: ArrayLike | None = None,
        id2word: Any = None,
        response: ArrayLike | None = None,
    ) -> MixtureModel:
        """Fit the components to counts.

        Parameters
        ----------
        X
            Counts ``(N, V)``, sparse or dense, whole or real-valued, not negative; or bags of
            words of gensim's.
        y
            Ignored.
        covariates
            A data frame or the like with a row for each document; see
            :meth:`BinaryFactorModel.fit`.
        feature_names
            The word of each column, ``(V,)``, where ``X`` does not carry them itself.
        id2word
            For bags of words: a gensim Dictionary, or a dict of ids to words.
        response
            A number for each document, ``(N,)``, None or NaN where unknown, that the components
            explain beside the words.

        Raises
        ------
        InputError
            When the counts cannot be used.
        ConfigurationError
            When a parameter is out of range or parts do not fit together.
        FitError
            When training fails before there is anything to keep.
        KeyboardInterrupt
            On Ctrl-C, after the best components so far were put in place: the model is usable.
        """
        check_components(self)
        given = covariates is not None
        parts = class_parts.choose(self.get_params(deep=False), covariates=given)
        device = resolve_device(self.device)
        with (
            threads(self.n_jobs),
            seeded(self.random_state, device) as seed,
            self._whole_or_not_at_all(False),
        ):
            counts = self._counted(X, feature_names, id2word, covariates=covariates)
            if response is not None:
                told = as_responses(response, counts.shape[0], parts.response)
                counts = counts.with_responses(told)
            rows, others = self._split(counts, seed)
            kept, held_out = counts[rows], counts[others] if len(others) else None
            self._check_told(kept)
            self._count_words(kept)
            self._name_parts(parts)
            responds = kept.responses is not None
            self.objective_ = class_parts.build(
                parts, counts.shape[1], self.n_components, self.design_, responds=responds
            )
            self._centre()
            self.objective_.to(device)
            evidence = self._evidence(kept).with_responses(kept.responses)
            known = em.Known.nothing(kept.shape[0], self.n_components)
            task = Task(
                evidence,
                known._replace(answers=self._answers(parts, kept)),
                self._corpus_of(evidence),
                self.smoothing * self._tokens(evidence).sum() / self.n_components,
                self.weight_smoothing,
                None if held_out is None else self._evidence(held_out),
            )
            found = self._learn(parts, task, self._starts(parts, kept, seed))
            order = self._in_order()
            self.reseeded_ = sorted(order.index(number) for number in found.reseeded)
            self._note_responses(found.answers, order)
            self._note(kept, held_out, found)
            self._order_words_after(counts, found.history)
        if self.reseeded_:
            warnings.warn(emptied(self.reseeded_), FitWarning, stacklevel=2)
        self._pass_on(found.history)
        return self

    score = ComponentsMixin.score  # DensityMixin's is empty

    def fit_predict(self, X: Any, y: object = None, *, covariates: Any = None) -> NDArray[np.int64]:
        """Fit to counts ``X (N, V)``, and the most probable component of each, ``(N,)``.

        ``covariates`` are those of :meth:`fit`; ``y`` is ignored.
        """
        return self.fit(X, covariates=covariates).predict(X, covariates=covariates)

    @property
    def _n_features_out(self) -> int:
        return int(self._joint().classes)
