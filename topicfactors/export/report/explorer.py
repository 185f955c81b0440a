"""The documents of the page: their texts, the factors that are on, the evidence of their words."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.export.report.excerpts import Excerpt
from topicfactors.export.report.material import Material
from topicfactors.export.report.packing import limit_for, packed, quantised, rounded
from topicfactors.export.report.sampling import CAP, chosen_documents
from topicfactors.insight.highlights import Reasons

TEXT = 5_000_000  # bytes of all texts, as JSON
NUMBERS = 2_500_000  # bytes of evidence: a word, a factor and a document each
FACTORS = 8  # of a document, those that are most probably on
NAME = 200  # characters of an id
WIDE = 2**16  # words from which their columns need four bytes


class Pairs(NamedTuple):
    """Documents with the factors that are shown of each; P of them."""

    documents: NDArray[np.int64]  # (P,) places among the chosen documents, ascending
    factors: NDArray[np.int64]  # (P,)
    probabilities: NDArray[np.floating]  # (P,)


def explorer(material: Material) -> dict[str, Any]:
    """The documents of the page and everything that is told of them."""
    rows = chosen_documents(material.found, material.standing, CAP)
    if material.excerpts is not None and len(material.excerpts) < material.found.shape[0]:
        rows = rows[rows < len(material.excerpts)]  # those that came later were not kept
    pairs = shown_pairs(material.found[rows])
    counts = material.counts[rows]
    words = _words(material, counts, rows, pairs)
    labels, places = material.labels, {int(row): place for place, row in enumerate(rows)}
    texts = _texts(material, rows)
    known = None if labels is None else [labels[row] for row in rows]
    return {
        "of": int(material.found.shape[0]),
        "rows": rows.tolist(),
        "ids": [material.ids[row][:NAME] for row in rows],
        "labels": known,
        "tokens": [float(n) for n in np.asarray(counts.sum(axis=1)).ravel()],
        **texts,
        **words,
        "forms": {} if material.forms is None else dict(material.forms(texts["texts"] or [])),
        "standing": [
            [[places[row], rounded(p)] for row, p in listed if row in places]
            for listed in material.standing
        ],
    }


def shown_pairs(found: NDArray[np.floating], most: int = FACTORS) -> Pairs:
    """The factors that are on in each of some documents ``found (n, D)``, at most so many.

    Where none is, the most probable one.
    """
    order = np.argsort(-found, axis=1, kind="stable")[:, :most]
    values = np.take_along_axis(found, order, 1)
    shown = values > 0.5
    shown[:, :1] = True
    documents, places = np.nonzero(shown)
    return Pairs(documents, order[documents, places], values[documents, places])


def _texts(material: Material, rows: NDArray[np.int64]) -> dict[str, Any]:
    """The beginnings of the texts, cut so that all have room; None where there are no texts."""
    if material.excerpts is None:
        return {"texts": None, "lengths": None, "limit": 0}
    found = [material.excerpts[int(row)] for row in rows]
    sizes = np.array([len(json.dumps(each.text, ensure_ascii=False).encode()) for each in found])
    limit = limit_for(sizes, TEXT)
    texts = [_cut(each, limit, int(size)) for each, size in zip(found, sizes, strict=True)]
    return {"texts": texts, "lengths": [each.length for each in found], "limit": limit}


def _cut(excerpt: Excerpt, limit: int, size: int) -> str:
    """At most so many bytes of a text of ``size`` bytes, ended between words where it is cut."""
    if size <= limit and excerpt.length == len(excerpt.text):
        return excerpt.text
    text = excerpt.text[: max(1, int(len(excerpt.text) * min(1.0, limit / size)))]
    whole = text[: text.rfind(" ")] if " " in text[-40:] else text
    return whole.rstrip()


def _words(
    material: Material, counts: Any, rows: NDArray[np.int64], pairs: Pairs
) -> dict[str, Any]:
    """Words of each document with their evidence for its factors, those that say most."""
    reasons = _reasons(material, counts, rows, pairs)
    starts = np.searchsorted(pairs.documents, np.arange(len(rows) + 1))
    distinct, each = np.diff(counts.indptr), np.diff(starts)
    sizes = distinct * np.maximum(each, 1)
    limit = max(8, limit_for(sizes, NUMBERS))
    columns, times, evidence, lengths, whys = [], [], [], [], []
    for place in range(len(rows)):
        own = reasons[starts[place] : starts[place + 1]]
        begin, end = counts.indptr[place], counts.indptr[place + 1]
        table = np.stack([reason.words for reason in own])
        kept = _strongest(table, max(1, limit // len(own)))
        lengths.append(len(kept))
        columns.append(counts.indices[begin:end][kept])
        times.append(counts.data[begin:end][kept])
        for reason, nats in zip(own, table, strict=True):
            step, small = quantised(nats[kept])
            evidence.append(small)
            total = float(reason.words.sum(dtype=np.float64))
            sums = (reason.prior, reason.rest, total)
            whys.append([step, *(rounded(float(value)) for value in sums)])
    used, found = np.unique(_joined(columns, np.int32), return_inverse=True)
    wide = np.uint32 if len(used) > WIDE else np.uint16
    on = [[int(f), rounded(float(p))] for f, p in zip(*pairs[1:], strict=True)]
    return {
        "vocabulary": [material.words[column] for column in used],
        "wide": wide is np.uint32,
        "words": packed(found.ravel().astype(wide)),
        "times": packed(np.clip(np.rint(_joined(times, np.float64)), 0, 255).astype(np.uint8)),
        "word_counts": lengths,
        "evidence": packed(_joined(evidence, np.int8)),
        "on": [on[begin:end] for begin, end in itertools.pairwise(starts)],
        "whys": whys,
        "exact": material.explain is not None,
        "remainder": material.remainder,
    }


def _joined(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate([*parts, np.empty(0, kind)]).astype(kind)


def _strongest(table: NDArray[np.floating], most: int) -> NDArray[np.int64]:
    """Places of the words of ``table (factors, words)`` that say most for any, in their order."""
    if table.shape[1] <= most:
        return np.arange(table.shape[1])
    return np.sort(np.argsort(-np.abs(table).max(0), kind="stable")[:most])


def _reasons(
    material: Material, counts: Any, rows: NDArray[np.int64], pairs: Pairs
) -> Sequence[Reasons]:
    """Exact evidence; without it that of each word alone, as often as it is there."""
    if material.explain is not None:
        return material.explain(rows[pairs.documents], pairs.factors)
    told, reasons = material.factors.log_odds, []
    for place, factor in zip(pairs.documents.tolist(), pairs.factors.tolist(), strict=True):
        part = counts[place]
        nats = (told[factor, part.indices] * part.data).astype(np.float32)
        reasons.append(Reasons(float("nan"), float("nan"), nats))
    return reasons
