"""What the report shows, read off any of the three models."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from topicfactors.corpus.documents import how_many
from topicfactors.estimators.consensus import runs_of
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.reasons import reasons_of
from topicfactors.estimators.report_facts import curve_of, facts_of, score_of
from topicfactors.estimators.wording import RANKING
from topicfactors.export.factors import PLURALS, factor_rows
from topicfactors.export.report.excerpts import Excerpts
from topicfactors.export.report.material import Material, Score
from topicfactors.insight.documents import representative
from topicfactors.insight.metrics import diversity, npmi
from topicfactors.insight.topics import rank, status, top_columns

WORDS = 12  # on a card, for and against
STANDING = 5  # representative documents of a factor
TEN = 10  # words that coherence and diversity are of
WORD = re.compile(r"\w+")
FORMS = 20_000  # different spellings that are asked for


def material_of(
    pipeline: Any,
    counts: Any,
    ids: Sequence[str],
    *,
    found: NDArray[np.floating] | None = None,
    labels: Sequence[str | None] | None = None,
    columns: Mapping[str, Sequence[Any]] | None = None,
    excerpts: Excerpts | None = None,
    title: str | None = None,
    scores: Iterable[Score] = (),
    facts: Iterable[tuple[str, str]] = (),
    notes: Iterable[str] = (),
) -> Material:
    """What the report shows of a model and some documents.

    Parameters
    ----------
    pipeline
        A pipeline that ends in a fitted model, or the model.
    counts
        As :meth:`_observed` gives them, N documents.
    ids, labels, columns, excerpts
        Of the documents.
    found
        Probabilities ``(N, D)`` of what the page lists, where they are known already.
    title, scores, facts, notes
        What is said besides of the fit; held-out scores are the model's own.
    """
    model = pipeline[-1] if isinstance(pipeline, Pipeline) else pipeline
    factors, names = model._topics(), model._words().tolist()
    binary = isinstance(model, BinaryFactorModel)
    called, noun = (model.factor_names_, "factor") if binary else (model._called(), model._noun)
    known = np.asarray(model._topics_of(counts, None) if found is None else found)
    known = known[:, : len(called)]
    columns_of_words = top_columns(rank(factors, RANKING), TEN)
    coherence = npmi(counts, columns_of_words)
    alike = len(called) == len(model.status_)  # else its status is of the components of classes
    return Material(
        title=title or f"{len(called)} {PLURALS[noun]}",
        noun=noun,
        rows=factor_rows(
            factors,
            np.asarray(model.prior_ if binary else factors.prevalence),
            model.status_ if alike else status(known.mean(0), known.var(0)),
            names,
            ranking=RANKING,
            words=WORDS,
            coherence=coherence.tolist(),
            responses=_responses(model, binary),
            called=called,
            runs=runs_of(model),
        ),
        factors=factors,
        off=off_probabilities(model, factors),
        words=names,
        counts=counts,
        found=known,
        standing=representative(counts, known, factors.log_odds, STANDING),
        ids=ids,
        labels=labels,
        columns=columns or {},
        excerpts=excerpts,
        forms=_forms(pipeline, names),
        explain=reasons_of(model, counts, known),
        remainder=model._joint().likelihood.remainder,
        couplings=getattr(model, "couplings_", None),
        facts=[*facts, *facts_of(model, counts, labels)],
        scores=[*(score_of("held out", each) for each in model.held_out_.values()), *scores],
        curve=curve_of(model),
        best=int(model.best_iter_),
        coherence=float(np.mean(coherence)),
        diversity=diversity(columns_of_words),
        notes=[*notes, *_empty(counts)],
    )


def off_probabilities(model: Any, factors: Any) -> NDArray[np.floating]:
    """Word probabilities with each factor off, ``(D, V)``: the others at their prevalence.

    Of a component or class, those of the others together.
    """
    if isinstance(model, BinaryFactorModel):
        return model._switched(0.0)
    shares = np.asarray(factors.prevalence, np.float64)
    total, rest = shares @ factors.on, np.maximum(shares.sum() - shares, 1e-12)[:, None]
    return np.asarray(np.maximum(total - shares[:, None] * factors.on, 0) / rest)


def _responses(model: Any, binary: bool) -> list[float] | None:
    """What a factor adds to the response, or what is expected in a component."""
    if binary:
        return model.response_coef_.tolist() if model._responds() else None
    means: Sequence[float] = getattr(model, "response_means_", ())
    return list(means) or None


def _empty(counts: Observed) -> list[str]:
    empty = int(np.count_nonzero(np.diff(counts.indptr) == 0))
    if not empty:
        return []
    has = "has" if empty == 1 else "have"
    return [f"{how_many(empty, 'document')} {has} no word of the vocabulary"]


def _forms(
    pipeline: Any, names: Sequence[str]
) -> Callable[[Iterable[str]], Mapping[str, str]] | None:
    """How the words of texts are counted where not as they are spelled; None where they are."""
    vectorizer = pipeline[0] if isinstance(pipeline, Pipeline) else None
    if vectorizer is None or not (vectorizer.lemmatize or vectorizer.spacy_model):
        return None

    def forms(texts: Iterable[str]) -> dict[str, str]:
        counted = Counter(word for text in texts for word in WORD.findall(text))
        spelled = [word for word, _ in counted.most_common(FORMS)]
        known, found = set(names), {}
        for word, tokens in zip(spelled, vectorizer.tokenize(spelled), strict=True):
            if len(tokens) == 1 and tokens[0] in known and tokens[0] != word.lower():
                found[word.lower()] = tokens[0]
        return found

    return forms
