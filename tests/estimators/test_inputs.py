"""What may come in, and what is said of what may not."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone

from tests.estimators.planted import model
from topicfactors import CountsMatrix, InputError

FORMS = {
    "csr_array": scipy.sparse.csr_array,
    "csc": scipy.sparse.csc_matrix,
    "coo": scipy.sparse.coo_matrix,
    "dense": lambda counts: counts.toarray(),
    "fortran": lambda counts: np.asfortranarray(counts.toarray()),
    "list": lambda counts: counts.toarray().tolist(),
    "int32": lambda counts: counts.astype(np.int32),
    "int64": lambda counts: counts.astype(np.int64),
    "float32": lambda counts: counts.astype(np.float32),
    "frame": lambda counts: pd.DataFrame(counts.toarray()),
}


@pytest.fixture(scope="module")
def few(corpus):
    return corpus.counts[:60]


@pytest.fixture(scope="module")
def fitted(few):
    return model(2).fit(few)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_of_the_same_counts_gives_the_same_model(form, few, fitted):
    other = model(2).fit(FORMS[form](few))
    np.testing.assert_array_equal(other.components_, fitted.components_)
    np.testing.assert_allclose(other.transform(FORMS[form](few)), fitted.transform(few), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_counts_is_kept(dtype, few, fitted):
    assert fitted.transform(few.astype(dtype)).dtype == dtype
    assert model(2, max_iter=1).fit_transform(few.astype(dtype)).dtype == dtype


def test_explicit_zeros_and_split_counts_are_one_and_the_same(few, fitted):
    whole = few.tocoo()
    rows = np.concatenate([whole.row, whole.row, np.arange(5)])
    columns = np.concatenate([whole.col, whole.col, np.arange(5)])
    values = np.concatenate([whole.data - 0.5, np.full(whole.nnz, 0.5), np.zeros(5)])
    order = np.argsort(rows, kind="stable")
    offsets = np.concatenate([[0], np.bincount(rows, minlength=few.shape[0]).cumsum()])
    again = scipy.sparse.csr_matrix((values[order], columns[order], offsets), shape=few.shape)
    before = again.data.copy()
    other = model(2).fit(again)
    np.testing.assert_array_equal(other.document_frequency_, fitted.document_frequency_)
    np.testing.assert_allclose(other.transform(again), fitted.transform(few), atol=1e-6)
    np.testing.assert_array_equal(again.data, before)


def test_fractions_of_counts_are_learnt_from(corpus):
    fractions = corpus.counts[:60] * 0.1
    fitted = model(2).fit(fractions)
    assert np.isfinite(fitted.components_).all()
    assert np.isfinite(fitted.score(fractions))


BAD = {
    "nan": (lambda counts: with_value(counts, np.nan), "NaN"),
    "infinite": (lambda counts: with_value(counts, np.inf), "infinity"),
    "negative": (lambda counts: with_value(counts, -1.0), "Negative values"),
    "one dimension": (lambda counts: counts.toarray()[0], "Reshape your data"),
    "a list": (lambda counts: [1.0, 2.0, 3.0], "Reshape your data"),
    "three dimensions": (lambda counts: np.ones((2, 2, 2)), "dim 3"),
    "no rows": (lambda counts: counts[:0], "0 sample"),
    "no columns": (lambda counts: counts[:, :0], r"0 feature\(s\)"),
    "no tokens": (lambda counts: counts * 0, "all 60 rows are empty"),
    "texts": (lambda counts: np.array([["steam", "engine"]]), "could not convert string"),
}


def with_value(counts, value):
    changed = counts.copy()
    changed.data[3] = value
    return changed


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", sorted(BAD))
def test_counts_that_cannot_be_used_are_refused_in_one_line(case, method, few):
    make, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        getattr(model(2), method)(make(few))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", ["nan", "infinite", "negative", "one dimension", "no rows"])
def test_transform_refuses_them_too(case, few, fitted):
    make, message = BAD[case]
    with pytest.raises(InputError, match=message):
        fitted.transform(make(few))


def test_nothing_at_all_is_refused(few):
    with pytest.raises(ValueError, match="got NoneType"):
        model(2).fit(None)


def test_empty_documents_are_kept_in_their_rows(few, fitted):
    gaps = few.tolil()
    gaps[[0, 7]] = 0
    found = fitted.transform(gaps.tocsr())
    np.testing.assert_allclose(found[1:7], fitted.transform(few)[1:7], atol=1e-6)
    np.testing.assert_allclose(found[0], found[7])
    refitted = model(2).fit(gaps.tocsr())
    assert np.isfinite(refitted.score_samples(gaps.tocsr())).all()
    assert refitted.evaluate(gaps.tocsr()).perplexity.left_out == 2


def test_another_width_is_refused(few, fitted):
    with pytest.raises(InputError, match=r"X has 5 features, but .* is expecting 48 features"):
        fitted.transform(few[:, :5])


def named(counts, names):
    return CountsMatrix(counts, feature_names=names)


def test_words_travel_with_the_counts(few):
    words = [f"word{column}" for column in range(few.shape[1])]
    fitted = model(2).fit(named(few, words))
    assert fitted.feature_names_in_.tolist() == words
    assert all(word in words for listed in fitted.top_words(5) for word, _ in listed)
    by_hand = model(2).fit(few, feature_names=words)
    assert by_hand.feature_names_in_.tolist() == words
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.transform(few)  # no names: nothing to compare


def test_a_later_fit_forgets_the_words_of_an_earlier_one(few):
    fitted = model(2, max_iter=1).fit(named(few, [f"w{n}" for n in range(few.shape[1])])).fit(few)
    assert not hasattr(fitted, "feature_names_in_")
    assert fitted.top_words(2)[0][0][0].isdigit()


@pytest.mark.parametrize("method", ["transform", "score_samples", "partial_fit"])
def test_other_words_are_refused_with_the_first_that_differs(method, few):
    words = [f"word{column}" for column in range(few.shape[1])]
    fitted = model(2, max_iter=1).fit(named(few, words))
    other = [*words[:4], "steam", *words[5:]]
    with pytest.raises(InputError, match="column 4 is 'steam', and was 'word4'"):
        getattr(fitted, method)(named(few, other))


def test_words_that_are_not_strings_are_compared_as_strings(few):
    fitted = model(2, max_iter=1).fit(few, feature_names=range(few.shape[1]))
    fitted.transform(named(few, list(range(few.shape[1]))))


@pytest.mark.parametrize("count", [3, 400])
def test_as_many_names_as_columns(count, few):
    names = [f"w{n}" for n in range(count)]
    with pytest.raises(InputError, match=f"48 columns of X, got {count} names"):
        model(2).fit(few, feature_names=names)
    fitted = model(2, max_iter=1).fit(few, feature_names=[f"w{n}" for n in range(48)])
    with pytest.raises(InputError, match=f"48 columns, but feature_names has {count}"):
        fitted.transform(named(few, names))


def test_data_frames_name_their_columns(few):
    frame = pd.DataFrame(few.toarray(), columns=[f"word{n}" for n in range(few.shape[1])])
    fitted = model(2, max_iter=1).fit(frame)
    assert fitted.feature_names_in_[3] == "word3"
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(frame.rename(columns={"word3": "steam"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        fitted.transform(few.toarray())
    assert clone(fitted).fit(few)._words()[0] == "0"
