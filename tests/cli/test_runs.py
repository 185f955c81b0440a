"""The run folder."""

import pytest

from topicfactors import DocumentVectorizer, load
from topicfactors.cli.runs import (
    Fingerprint,
    model_of,
    open_run,
    posteriors_in,
    rows_of,
    stored_coherence,
)
from topicfactors.errors import StorageError


def hashed(*texts):
    fingerprint = Fingerprint()
    assert list(fingerprint.watch(texts)) == list(texts)
    assert fingerprint.characters == sum(map(len, texts))
    return fingerprint.digest.hexdigest()


def test_a_fingerprint_depends_on_texts_order_and_borders():
    same = hashed("steam", "engine")
    assert same == hashed("steam", "engine")
    others = [
        hashed("engine", "steam"),
        hashed("steamengine"),
        hashed("steam", "engine", ""),
        hashed("steame", "ngine"),
    ]
    assert len({same, *others}) == 5


def test_the_model_of_a_run_is_the_last_step(fitted):
    pipeline = open_run(fitted)
    assert model_of(pipeline) is pipeline[-1]
    assert model_of(pipeline[-1]) is pipeline[-1]
    with pytest.raises(StorageError, match="expected a run with a factor model"):
        model_of(DocumentVectorizer())


def test_rows_are_those_that_were_written(fitted):
    stored = stored_coherence(fitted, 3)
    rows = rows_of(load(fitted / "model")[-1], coherence=stored)
    text = (fitted / "factors.csv").read_text(encoding="utf-8")
    assert stored_coherence(fitted, 4) is None
    assert len(stored) == len(rows) == 3
    for row in rows:
        assert " ".join(row.words) in text


def test_what_is_missing_is_none(tmp_path):
    assert stored_coherence(tmp_path, 3) is None
    assert posteriors_in(tmp_path) is None
