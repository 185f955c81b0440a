"""The run folder."""

import pandas
import pytest

from topicfactors import DocumentVectorizer, load
from topicfactors.cli.readings import model_of
from topicfactors.cli.runs import (
    Fingerprint,
    posteriors_in,
    rows_in,
    stored,
)
from topicfactors.errors import StorageError
from topicfactors.estimators.wording import RANKING


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
    pipeline = load(fitted)
    assert model_of(pipeline) is pipeline[-1]
    assert model_of(pipeline[-1]) is pipeline[-1]
    with pytest.raises(StorageError, match="expected a run with a model"):
        model_of(DocumentVectorizer())


def test_rows_are_those_that_were_written(fitted):
    rows = rows_in(fitted, load(fitted / "model")[-1], RANKING, 10)
    text = (fitted / "factors.csv").read_text(encoding="utf-8")
    for row in rows:
        assert " ".join(row.words) in text
        assert " ".join(row.suppressed) in text
    assert [row.coherence for row in rows] == pytest.approx(stored(fitted, 3).coherence)


def test_representative_documents_are_kept_with_the_factors(fitted):
    known = stored(fitted, 3)
    assert stored(fitted, 4) is None
    posteriors = pandas.read_csv(fitted / "posteriors.csv", index_col="id")
    assert any(known.documents)
    for factor, ids in enumerate(known.documents):
        assert (posteriors.loc[ids, f"factor_{factor}"] > 0.5).all()


def test_coherence_of_other_words_is_not_what_was_stored(fitted):
    model = load(fitted / "model")[-1]
    assert {row.coherence for row in rows_in(fitted, model, "weight", 10)} == {None}
    assert [row.documents for row in rows_in(fitted, model, "weight", 3)] == stored(
        fitted, 3
    ).documents


def test_what_is_missing_is_none(tmp_path):
    assert stored(tmp_path, 3) is None
    assert posteriors_in(tmp_path) is None
