"""The ladder of bounds."""

import pytest

from tests.estimators.planted import model
from tests.export.plots.reading import said
from topicfactors import ConfigurationError, plot_bound


@pytest.fixture(scope="module")
def documents(counts):
    return counts[:40]


def test_rows_are_what_evaluate_says(fitted, documents):
    figure = plot_bound(fitted, documents, draws=[5])
    unigram, marks = figure.data[1:]
    names = ["ELBO, 32 draws", "IWAE, 5 draws", "truncated, 64 states"]
    assert list(marks.y) == [*names, "exact log p(x)", "completion of the unseen half"]
    asked = [("elbo", None), ("iwae", 5), ("truncated", None), ("exact", None)]
    found = [fitted.evaluate(documents, bound=b, samples=n) for b, n in asked]
    assert list(marks.x[:4]) == [each.perplexity.per_document for each in found]
    assert list(marks.error_x.array[:4]) == [each.perplexity.standard_error for each in found]
    assert list(unigram.x[:4]) == [each.unigram.per_document for each in found]


def test_an_exact_inference_has_one_bound(documents, counts):
    exact = model(inference="exact", max_iter=2).fit(counts)
    figure = plot_bound(exact, documents, bounds=["elbo", "iwae", "exact"])
    assert figure.data[-1].y == ("exact log p(x)",)


def test_what_is_refused_is_not_drawn_and_said(fitted, documents):
    figure = plot_bound(fitted, documents, bounds=["elbo", "smoothed-iwae"])
    assert figure.data[-1].y == ("ELBO, 32 draws",)
    assert "Not drawn: smoothed-iwae" in said(figure)


def test_halves_of_tokens_that_are_no_whole_numbers(fitted, documents):
    figure = plot_bound(fitted, documents * 0.5, bounds=["elbo", "completion"])
    assert "Not drawn: completion" in said(figure)


def test_mixtures_have_their_own(mixture, documents):
    figure = plot_bound(mixture, documents)
    assert figure.data[-1].y == ("exact log p(x)", "completion of the unseen half")
    assert figure.data[-1].x[0] == mixture.perplexity(documents)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (["elbow"], "did you mean 'elbo'"),
        ("elbo", "list of names"),
        (["smoothed-iwae"], "no bound could be drawn"),
    ],
)
def test_bounds_that_are_not_there_are_refused(fitted, documents, bounds, message):
    with pytest.raises(ConfigurationError, match=message):
        plot_bound(fitted, documents, bounds=bounds)
