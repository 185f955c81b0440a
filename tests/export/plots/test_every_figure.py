"""What all figures have in common."""

import re

import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from tests.estimators.planted import model
from topicfactors import (
    BinaryFactorModel,
    DocumentVectorizer,
    InputError,
    load,
    plot_bound,
    plot_coactivation,
    plot_factors,
    plot_map,
    plot_over,
    plot_training,
    save,
)

OF_MODELS = [plot_factors, plot_map, plot_training]
OF_DOCUMENTS = [
    plot_coactivation,
    lambda fitted, X: plot_over(fitted, X, np.arange(X.shape[0])),
    lambda fitted, X: plot_bound(fitted, X, bounds=["elbo"]),
]
TAG = re.compile(r"</?(\w+)")
OURS = {"b", "br", "span", "extra"}  # the markup that our own texts have


@pytest.mark.parametrize("draw", OF_MODELS)
def test_they_take_every_kind_of_model(draw, fitted, mixture, classifier):
    for each in (fitted, mixture, classifier):
        figure = draw(each)
        assert figure.data
        assert figure.layout.title.text
        assert len(figure.to_json()) < 1e6


@pytest.mark.parametrize("draw", OF_MODELS)
def test_they_refuse_what_is_no_model(draw):
    with pytest.raises(InputError, match="got a str"):
        draw("run/model")
    with pytest.raises(NotFittedError):
        draw(BinaryFactorModel(2))


@pytest.mark.parametrize("draw", [*OF_MODELS, *OF_DOCUMENTS])
def test_words_are_shown_and_not_obeyed(draw, fitted, counts):
    figure = draw(fitted) if draw in OF_MODELS else draw(fitted, counts)
    text = figure.to_json().encode().decode("unicode_escape", errors="ignore")
    assert set(TAG.findall(text)) <= OURS
    assert "$" not in text.replace("&#36;", "")


@pytest.mark.parametrize("draw", [plot_factors, plot_map])
def test_words_that_are_markup_are_there(draw, fitted):
    text = draw(fitted).to_json()
    assert "lt;script" in text
    assert "lt;i\\u0026gt;own" in text or "lt;i&gt;own" in text


def test_a_pipeline_reads_its_own_documents():
    texts = ["steam engine piston", "comet star orbit", "steam piston", "star comet"] * 5
    pipe = make_pipeline(DocumentVectorizer(), model(2, max_iter=2)).fit(texts)
    assert len(plot_factors(pipe).data) == 2
    assert plot_coactivation(pipe, texts).data[0].z[0][0] is None
    assert plot_over(pipe, texts, ["a", "b"] * 10).data[0].y == ("a", "b")
    assert plot_bound(pipe, texts, bounds=["elbo"]).data[-1].y == ("ELBO, 32 draws",)


def test_one_factor_and_dead_factors(counts):
    one = model(1, max_iter=2).fit(counts)
    dead = model(3, max_iter=2).fit(counts)
    dead.status_ = ["active", "dead", "dead"]
    dead.prevalence_ = np.array([0.4, 0.0, 0.0])
    for each in (one, dead):
        for draw in OF_MODELS:
            assert draw(each).data
        for draw in OF_DOCUMENTS:
            assert draw(each, counts).data
    assert "dead" in plot_factors(dead).layout.annotations[1].text


@pytest.mark.parametrize("draw", OF_DOCUMENTS)
def test_documents_without_words_alone_are_refused(draw, fitted, counts):
    with pytest.raises(InputError, match="no document with words"):
        draw(fitted, scipy.sparse.csr_matrix((3, counts.shape[1])))


def test_a_model_of_partial_fit_and_a_loaded_one(counts, tmp_path):
    made = model(2, inference="gumbel-softmax")
    for _ in range(3):
        made.partial_fit(counts)
    save(made, tmp_path / "model")
    for each in (made, load(tmp_path / "model")):
        assert plot_training(each).data[0].x == (1, 2, 3)
        assert len(plot_map(each).data[0].x) == 2
