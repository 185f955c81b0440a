"""The binary latent-factor document model, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sklearn.base import ClassNamePrefixFeaturesOutMixin

from topicfactors.estimators.base import CountsEstimator
from topicfactors.estimators.editing import EditingMixin
from topicfactors.estimators.explaining import ExplainingMixin
from topicfactors.estimators.fits import FitsMixin
from topicfactors.estimators.frames import FramesMixin
from topicfactors.estimators.sampling import SamplingMixin
from topicfactors.training.callbacks import Callback


class BinaryFactorModel(
    FitsMixin,
    EditingMixin,
    ExplainingMixin,
    FramesMixin,
    SamplingMixin,
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    CountsEstimator,
):
    r"""Documents explained by factors that are on or off.

    :math:`z_d \sim \mathrm{Bernoulli}(\pi_d)`, and the words of a document are drawn with the
    probabilities :math:`\mathrm{softmax}(W z + b)`, by default from an urn: a word that was seen
    comes again more easily. A document may have several factors on, or none; the rows
    of ``transform`` are probabilities that do not sum to one.

    Parameters
    ----------
    n_components
        Number of factors D; ``"auto"`` for as many as there is evidence for, at most 200, or
        ``"auto:most=50"``.
    inference
        How the model is fitted: ``"auto"``, ``"truncated"``, ``"exact"``, ``"gumbel-softmax"``,
        ``"local-expectation"``, ``"dvae"``, ``"nvil"``, ``"straight-through"``, ``"reinmax"``,
        ``"gumbel-rao"``, ``"hard-concrete"``, ``"muprop"``, ``"double-cv"``, ``"rebar"``,
        ``"relax"``, ``"reinforce"``, ``"rloo"``, ``"self-critical"``, ``"disarm"``, ``"arms"``,
        ``"rao-blackwell"``, ``"vimco"`` or ``"wake-sleep"``, with options as in
        ``"gumbel-softmax:end=0.3"``, or a constructor such as ``partial(NVIL, samples=8)``.
        ``"auto"`` is truncated with a log-linear decoder and gumbel-softmax with an MLP; where a
        posterior, a smoothing or continuous layers are asked for, an inference that has them.
    posterior
        q(z | x), what the inference learns to guess: ``"auto"`` for the inference's own,
        ``"mean-field"`` (independent bits), ``"autoregressive"`` (drawn in groups that know the
        groups before; ``groups``, ``width``) or ``"free"`` (no encoder: each document has its own);
        ``"truncated"`` and ``"enumerated"`` come with their inferences.
    likelihood
        How words are drawn: ``"polya"`` (a word that was seen comes again; the default),
        ``"multinomial"`` (independent draws), ``"poisson"`` (counts, with the document's length
        as exposure) or ``"bernoulli"`` (a word is there or not).
    decoder
        ``"log-linear"`` (``"log-linear:nonnegative=true"`` for loadings W >= 0) or ``"mlp"``.
    prior
        ``"bernoulli"`` (factors come independently; ``"bernoulli:learnt=false,probability=0.05"``
        keeps it fixed), ``"boltzmann"`` (pairs that attract or repel each other) or
        ``"belief-network"`` (groups that come together, by ``units`` above them); docs/priors.md.
    encoder
        ``"bag-of-words"``, with ``width``, ``layers`` and ``dropout``.
    smoothing
        How ``"dvae"`` makes a bit continuous: ``"spike-and-exponential"``, ``"exponential"`` or
        ``"power"``, ``"auto"`` for the inference's own.
    continuous_layers
        Layers of Gaussian variables above the factors, each given those before, that take up what
        the factors do not say of the words: a number, or ``"2:width=20"``; 0 for none. With them
        there is no search over states, no ``explain`` and no exact score.
    init
        Where the loadings start: ``"auto"``, ``"clusters"``, ``"nmf"`` or ``"random"``.
    n_runs
        Fits from ``random_state``, ``random_state + 1``, …, one after the other, of which the one
        is kept whose factors agree most with those of the others (docs/stability.md).
    response
        How the ``response`` that ``fit`` is given is drawn: ``"gaussian"`` or ``"poisson"``, with
        ``weight`` (docs/responses.md).
    max_iter
        Most passes over the documents; None for as many as were measured best for the inference
        (40; ``"gumbel-softmax"`` and ``"straight-through"`` 20; ``"truncated"`` 6 to 24, more for
        fewer factors).
    batch_size
        Documents a step; ``"auto"`` for the number measured best for the inference, and fewer
        where the corpus is so small that a pass would have under 16 to 32 steps.
    learning_rate
        Highest learning rate; ``"auto"`` for the one measured best for the inference. The encoder
        of ``"gumbel-softmax"`` and ``"straight-through"`` learns four times as fast.
    kl_warmup
        Share of training over which the KL term rises to its full weight; ``"auto"`` is 0.3, and
        0 for ``"truncated"``.
    overlap_penalty
        Weight of the penalty on loadings that resemble each other; 0 for none.
    anchors
        Factors that you name and the words that pull them, those with a hyphen before them kept
        out: ``{"steam": ["engine", "boiler", "-locomotive"]}``.
    anchor_strength
        Log-weight that an anchored word has at least, unless the data insist.
    shrinkage
        Precision of a Gaussian prior on the loadings, in nats: ½·shrinkage·ΣW² is taken from the
        bound of the whole corpus. ``"auto"`` is 0.3 for ``"truncated"`` and 0 otherwise.
    covariates
        Columns of what ``fit`` is given as covariates: ``"year"`` (a number, or categories),
        ``"year:spline"``, ``"decade:category"``, ``"section:content"`` (moves the words) or
        ``"section:both"``; None for all columns, on the prevalence of the factors.
    covariate_shrinkage
        Precision of a Gaussian prior on their effects, in nats.
    length_tempering
        How far long documents are believed where a posterior is asked for: counts times
        min(1, c/√tokens), for c a number, or ``"auto"`` for the one that held-out words speak for,
        if any does (docs/answers.md). None for counts as they are, as scores always have them.
    validation_fraction
        Share of the documents held out to choose the best weights and to stop early; 0 to train
        on all. Nothing is held out where it would be fewer than 5 documents.
    n_iter_no_change
        Passes without progress of the held-out bound, at full KL weight, before training ends.
    tol
        Relative progress that counts.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    random_state
        Seed. The same seed, machine and number of threads give the same bits.
    n_jobs
        Threads; None for torch's own choice, -1 for all cores.
    verbose
        1 prints a line an epoch to stderr.
    warm_start
        Let ``fit`` continue from the parameters of the last one, on the same words.
    callbacks
        Functions told of every :class:`~topicfactors.training.callbacks.Epoch`.

    Attributes
    ----------
    components_ : (D, V)
        Signed log-weights W (with an MLP decoder: the change of log-probability when only that
        factor is on). Factors are sorted by prevalence and, where the decoder allows, turned so
        that each is on in at most half of the documents.
    intercept_ : (V,)
        Background log-weights b.
    response_coef_, response_intercept_ : (D,), float
        What each factor adds to the expected response, and what is expected with none on; of its
        logarithm where ``response="poisson"``.
    agreement_, came_back_ : (D,)
        With several runs: correlation of each factor with its own in the other runs, on the
        average, and the share of the other runs in which it came back.
    consensus_ : Consensus
        With several runs: their seeds, which was kept, how far they agree, and by chance.
    n_components_, tried_ : int, list of Tried
        Factors found; with ``"auto"`` what each model began with and needed, and its evidence.
    prior_ : (D,)
        Probability of each factor before any word is seen, at the mean of the covariates.
    couplings_ : (D, D)
        With ``prior="boltzmann"``, what a factor that is on adds to the log-odds of another.
    topic_word_ : (D, V)
        Word probabilities with the factor on and the others at their prevalence.
    prevalence_ : (D,)
        Mean posterior probability over the training documents.
    status_ : list of str
        ``"active"``, ``"dead"`` or ``"always-on"`` for each factor.
    history_ : list of Epoch
        One entry for each pass.
    n_iter_, best_iter_ : int
        Passes made, and the one whose weights were kept.
    held_out_ : dict of Evaluation
        Bounds of the documents that were held out, the inference's own first, the unigram beside
        each; empty where none were.
    factor_names_, missing_anchors_ : list, dict
        Your name of each factor or its number; words of anchors that are not in the vocabulary.
    edits_ : list of Edit
        What ``merge`` and ``drop`` did, if they did; docs/editing-factors.md.
    length_tempering_ : float or None
        What ``length_tempering="auto"`` chose.
    inference_, init_ : str
        What was used, where ``"auto"`` was asked for.

    References
    ----------
    docs/mathematics.md; the inferences cite their papers.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> model = BinaryFactorModel(2, random_state=0).fit(counts)
    >>> model.transform(counts).shape
    (20, 2)
    """

    def __init__(
        self,
        n_components: int | str = 50,
        *,
        inference: str | Callable[..., Any] = "auto",
        posterior: str | Callable[..., Any] = "auto",
        likelihood: str | Callable[..., Any] = "polya",
        decoder: str | Callable[..., Any] = "log-linear",
        prior: str | Callable[..., Any] = "bernoulli",
        encoder: str | Callable[..., Any] = "bag-of-words",
        smoothing: str | Callable[..., Any] = "auto",
        continuous_layers: int | str = 0,
        init: str | Callable[..., Any] = "auto",
        n_runs: int = 1,
        response: str | Callable[..., Any] = "gaussian",
        max_iter: int | None = None,
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        kl_warmup: float | str = "auto",
        overlap_penalty: float = 0.0,
        anchors: Mapping[str, Sequence[str]] | None = None,
        anchor_strength: float = 2.0,
        shrinkage: float | str = "auto",
        covariates: str | Sequence[str] | None = None,
        covariate_shrinkage: float = 1.0,
        length_tempering: float | str | None = None,
        validation_fraction: float = 0.05,
        n_iter_no_change: int = 8,
        tol: float = 1e-4,
        device: str = "auto",
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        callbacks: Sequence[Callback] | None = None,
    ) -> None:
        self.n_components = n_components
        self.inference = inference
        self.posterior = posterior
        self.likelihood = likelihood
        self.decoder = decoder
        self.prior = prior
        self.encoder = encoder
        self.smoothing = smoothing
        self.continuous_layers = continuous_layers
        self.init = init
        self.n_runs = n_runs
        self.response = response
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.kl_warmup = kl_warmup
        self.overlap_penalty = overlap_penalty
        self.anchors = anchors
        self.anchor_strength = anchor_strength
        self.shrinkage = shrinkage
        self.covariates = covariates
        self.covariate_shrinkage = covariate_shrinkage
        self.length_tempering = length_tempering
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.warm_start = warm_start
        self.callbacks = callbacks
