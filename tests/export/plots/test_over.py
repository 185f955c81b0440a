"""How often factors are on over a covariate."""

import numpy as np
import pandas
import pytest
import scipy.sparse
from sklearn.pipeline import Pipeline

from tests.estimators.planted import model
from tests.export.plots.reading import said
from topicfactors import ConfigurationError, DocumentVectorizer, InputError, plot_over, read_corpus

DOCUMENTS = 200


@pytest.fixture
def decades():
    return np.repeat([1600, 1700, 1800, 1850], DOCUMENTS // 4)


def test_lines_are_means_with_a_band(fitted, counts, decades):
    band, line = plot_over(fitted, counts, decades, factors=[1]).data
    q = fitted.transform(counts)[:, 1]
    groups = [q[decades == decade] for decade in (1600, 1700, 1800, 1850)]
    assert list(line.x) == [1600, 1700, 1800, 1850]
    assert list(line.y) == pytest.approx([group.mean() for group in groups], rel=1e-5)
    error = groups[0].std(ddof=1) / np.sqrt(50)
    assert band.y[0] == pytest.approx(min(1, groups[0].mean() + error), rel=1e-4)
    assert line.customdata[0][1] == "50"


def test_names_are_bars(fitted, counts, corpus):
    section = np.where(corpus.truth[:, 0] > 0, "<b>on</b>", "off")
    (bars,) = plot_over(fitted, counts, section, factors=[0]).data
    assert bars.y == ("&lt;b&gt;on&lt;/b&gt;", "off")
    q = fitted.transform(counts)[:, 0]
    assert list(bars.x) == pytest.approx([q[section == n].mean() for n in np.unique(section)])
    assert len(bars.error_x.array) == 2


@pytest.mark.parametrize(
    "days",
    [
        np.array(["1901-05-02", "1901-05-04"] * 100, "datetime64[D]"),
        pandas.Series(pandas.to_datetime(["1901-05-02", "1901-05-04"] * 100)),
        pandas.Series(pandas.to_datetime(["1901-05-02", "1901-05-04"] * 100, utc=True)),
        ["1901-05-02", "1901-05-04"] * 100,
    ],
)
def test_dates_are_dates(fitted, counts, days):
    line = plot_over(fitted, counts, days, factors=[0]).data[1]
    assert line.x == ("1901-05-02T00:00:00", "1901-05-04T00:00:00")


def test_the_factors_that_vary_most_come_first(fitted, counts, corpus):
    q = fitted.transform(counts)
    figure = plot_over(fitted, counts, np.where(corpus.truth[:, 0] > 0, "a", "b"))
    a = corpus.truth[:, 0] > 0
    most = int(np.abs(q[a].mean(0) - q[~a].mean(0)).argmax())
    assert list(figure.data[0].x) == pytest.approx([q[a, most].mean(), q[~a, most].mean()])


def test_a_column_by_its_name(fitted, counts, decades):
    table = {"decade": decades}
    named = plot_over(fitted, counts, "decade", covariates=table)
    assert "over decade" in said(named)
    assert named.data[1].y == plot_over(fitted, counts, decades).data[1].y
    series = plot_over(fitted, counts, pandas.Series(decades, name="year"))
    assert "over year" in said(series)


def test_missing_cells_and_empty_documents_are_left_out(fitted, counts, decades):
    cells = [None, float("nan"), *decades[2:].tolist()]
    emptied = scipy.sparse.lil_matrix(counts)
    emptied[2] = 0
    figure = plot_over(fitted, emptied.tocsr(), cells, factors=[0])
    assert "3 documents are left out" in said(figure)
    assert figure.data[1].customdata[0][1] == "47"


def test_a_categorical_keeps_its_order(fitted, counts):
    cells = pandas.Categorical(["late", "early"] * 100, categories=["early", "late"])
    assert plot_over(fitted, counts, cells, factors=[0]).data[0].y == ("early", "late")


def test_mixtures_and_classes_too(mixture, classifier, counts, decades):
    lines = plot_over(mixture, counts, decades).data[1::2]
    assert np.sum([line.y for line in lines], axis=0) == pytest.approx(np.ones(4))
    assert len(plot_over(classifier, counts, decades).data) == 4


@pytest.mark.parametrize(
    ("covariate", "covariates", "message"),
    [
        ("decade", None, "pass the table too"),
        ("decada", {"decade": [1] * DOCUMENTS}, "did you mean 'decade'"),
        ([1, 2], None, "each of the 200 documents, got 2"),
        ([None] * DOCUMENTS, None, "no value in any document"),
        ([*[1] * 199, "c. 1700"], None, "row 199: 'c. 1700'"),
        (3, None, "name of a column"),
    ],
)
def test_columns_that_cannot_be_drawn_over_are_refused(
    fitted, counts, covariate, covariates, message
):
    with pytest.raises(InputError, match=message):
        plot_over(fitted, counts, covariate, covariates=covariates)


def test_no_document_with_both_words_and_a_value_is_refused(fitted, counts):
    emptied = scipy.sparse.lil_matrix(counts)
    emptied[0] = 0
    with pytest.raises(InputError, match="both words and a value"):
        plot_over(fitted, emptied.tocsr(), [1800, *[None] * (DOCUMENTS - 1)])


def test_long_names_are_cut_and_stay_apart(fitted, counts):
    long = "a name that goes on and on and on, "
    figure = plot_over(fitted, counts, [f"{long} one", f"{long} two"] * 100, factors=[0])
    assert len(figure.data[0].y) == 2
    assert all(len(name) <= 28 for name in figure.layout.yaxis.ticktext)


def test_one_bin_is_refused(fitted, counts, decades):
    with pytest.raises(ConfigurationError, match="bins"):
        plot_over(fitted, counts, decades, bins=1)


def test_a_corpus_has_its_own_columns():
    corpus = read_corpus("revolution")
    made = model(2, likelihood="multinomial", max_iter=1, covariates="decade")
    vectorizer = DocumentVectorizer(min_df=5)
    made.fit(vectorizer.fit_transform(corpus), covariates=corpus.covariates)
    figure = plot_over(Pipeline([("words", vectorizer), ("model", made)]), corpus, "field")
    assert "mechanics" in figure.data[0].y
