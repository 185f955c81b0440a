"""Topic models side by side on the same tokens: ours, and those of other packages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from topicfactors.studies.quality_results import QualityStudy
from topicfactors.studies.tournament import Tournament


def compare(
    X: Any,
    n_components: int = 50,
    models: Iterable[Any] | Mapping[str, Any] | None = None,
    *,
    tokens: Iterable[Sequence[str]] | None = None,
    texts: Iterable[str] | None = None,
    feature_names: ArrayLike | None = None,
    X_held_out: Any = None,
    held_out: float = 0.1,
    seeds: Iterable[int] = (0,),
    c_v: bool = True,
    threads: int = 1,
    jobs: int = 1,
    device: str = "auto",
) -> QualityStudy:
    """Fit topic models to the same tokens and score them alike.

    For each of them: NPMI, C_V and diversity of the ten words that it lists itself, how well it
    completes held-out documents, seconds of the fit, documents a second, and peak memory. Every fit
    is in a process of its own; one that breaks off costs its own row alone. What the figures mean,
    and what makes them fair, is in docs/comparing.md.

    Parameters
    ----------
    X
        Counts ``(N, V)``, whole numbers.
    n_components
        Topics K of every model.
    models
        Names of :data:`topicfactors.peers.ours.OURS` (``"factors"``, ``"gumbel-softmax"``,
        ``"mixture"``) and :data:`topicfactors.peers.PEERS` (``"sklearn-lda"``,
        ``"sklearn-nmf"``, ``"gensim-lda"``, ``"tomotopy-lda"``, ``"corex"``, ``"bertopic"``,
        ``"bertopic-sentences"``), or models of this package that are not fitted, whose own
        parameters hold, ``n_components`` too; a list, or a mapping from what they are called. None
        for all that are installed but the one that embeds sentences, which fetches a network's
        weights.
    tokens
        The documents of ``X`` as lists of words in their order, as
        :meth:`DocumentVectorizer.tokenize` gives them: for C_V, and for peers that read documents.
        None for the order of the columns.
    texts
        The same documents as they were written, for ``"bertopic-sentences"`` alone.
    feature_names
        The words of the columns, where ``X`` does not carry them.
    X_held_out
        Counts ``(M, V)`` of documents that are completed; None for a share of ``X``, which is then
        not trained on.
    held_out
        That share; always the same documents.
    seeds
        Of the fits; each model is fitted once with each.
    c_v
        Whether C_V is computed, which takes its time in large corpora.
    threads
        Of each fit. The time of one is what can be compared best.
    jobs
        Fits at once; with more than one they take time from each other.
    device
        Of our own models: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``. Memory of a GPU is not
        counted.

    Raises
    ------
    ConfigurationError
        When a name is unknown or a number makes no sense.
    InputError
        When the counts cannot be used, or the tokens are not theirs.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.random.default_rng(0).poisson(1.0, (40, 12))
    >>> study = compare(counts, 2, ["factors", "sklearn-nmf"], c_v=False)
    >>> sorted(study.to_pandas().index)
    ['BinaryFactorModel', 'scikit-learn NMF']
    """
    tournament = Tournament(
        X,
        n_components,
        models,
        tokens=tokens,
        texts=texts,
        feature_names=feature_names,
        X_held_out=X_held_out,
        held_out=held_out,
        seeds=seeds,
        c_v=c_v,
        threads=threads,
        jobs=jobs,
        device=device,
    )
    return tournament.study(tournament)
