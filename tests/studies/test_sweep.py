"""A sweep recommends the number that was planted, and makes no fit twice."""

import json
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from tests.estimators.planted import model, planted
from topicfactors import ConfigurationError, InputError, MixtureModel, StorageError
from topicfactors.studies import sweep, sweep_fits
from topicfactors.studies.recommending import Candidate, recommend
from topicfactors.studies.sweep import divided
from topicfactors.studies.sweep_folder import MARK

NUMBERS = [2, 3, 5]


@pytest.fixture(scope="module")
def corpus():
    return planted(factors=3, documents=150)


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    """A sweep and its folder."""
    folder = tmp_path_factory.mktemp("sweep") / "new" / "folder"
    chosen = model(1, max_iter=8)
    return sweep(chosen, corpus.counts, NUMBERS, n_runs=2, folder=folder), folder


@pytest.fixture
def fits(monkeypatch):
    """The fits that are made, as they are."""
    seen, fit = [], sweep_fits.fit

    def counted(task, k, seed):
        found = fit(task, k, seed)
        seen.append((k, seed))
        return found

    monkeypatch.setattr(sweep_fits, "fit", counted)
    return seen


def test_it_recommends_what_was_planted(made):
    found, _ = made
    assert found.recommendation.k == 3
    assert found.score == "completion"
    rows = {row.k: row for row in found.rows}
    assert rows[2].behind > 2 * rows[2].error > 0
    assert rows[3].came_back == 1
    assert rows[3].agreement > 0.9 > 0.3 > rows[3].chance
    assert rows[2].completion > rows[3].completion


def test_scores_are_of_documents_that_no_fit_saw(corpus, made):
    found, _ = made
    assert (found.settings.documents, found.settings.held_out) == (120, 30)
    fit = found.fits[0]
    assert len(fit.held_out) == len(fit.completion) == 30
    row = next(row for row in found.rows if row.k == fit.k)
    own = [each for each in found.fits if each.k == fit.k]
    assert row.bound == pytest.approx(np.mean([each.held_out for each in own]))
    total = np.mean([np.sum(each.completion) for each in own])
    assert row.completion == pytest.approx(np.exp(-total / found.settings.unseen))


def test_what_is_written_is_what_is_said(made):
    _, folder = made
    told = json.loads((folder / MARK).read_text())
    assert told["recommendation"]["k"] == 3
    assert [row["k"] for row in told["rows"]] == NUMBERS
    assert (folder / "sweep.csv").read_text().startswith("k,runs,completion")
    page = (folder / "sweep.html").read_text(encoding="utf-8")
    assert 'src="http' not in page  # it needs no network
    assert "Recommended: 3 factors" in page
    assert {path.name for path in (folder / "fits").iterdir()} == {
        f"k{k}-seed{seed}.json" for k in NUMBERS for seed in (0, 1)
    }
    assert max(path.stat().st_size for path in (folder / "fits").iterdir()) < 10_000


def test_tables(made):
    found, _ = made
    assert found.to_pandas().index.tolist() == NUMBERS
    heads, *rows = found.cells()
    assert heads[:3] == ["k", "perplexity", "behind best"]
    assert [row[2] for row in rows if "±" not in row[2]] == ["best"]
    assert "Take k = 3" in str(found)
    assert found.stability(3).overall == found.rows[1].agreement
    titles = [note.text for note in found.plot().layout.annotations]
    assert "completion, % above the best perplexity" in titles


def test_it_goes_on_and_makes_no_fit_twice(corpus, made, fits):
    found, folder = made
    chosen = model(1, max_iter=8)
    again = sweep(chosen, corpus.counts, NUMBERS, n_runs=2, folder=folder)
    assert fits == []
    assert again == found
    more = sweep(chosen, corpus.counts, [3, 4], n_runs=2, folder=folder)
    assert fits == [(4, 0), (4, 1)]
    assert [row.k for row in more.rows] == [3, 4]
    sweep(chosen, corpus.counts, [3], n_runs=3, folder=folder)
    assert fits[2:] == [(3, 2)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": {"max_iter": 6}}, "a sweep with max_iter=8, and this is with 6"),
        ({"held_out": 0.3}, r"a sweep with held_out=0\.2"),
        ({"rows": slice(0, 140)}, "of other documents or words"),
    ],
)
def test_another_sweep_is_refused_there(corpus, made, change, said, fits):
    _, folder = made
    chosen = model(1, **({"max_iter": 8} | change.pop("model", {})))
    counts = corpus.counts[change.pop("rows", slice(None))]
    with pytest.raises(StorageError, match=said) as refused:
        sweep(chosen, counts, [2], folder=folder, **change)
    assert "start over (--force, or overwrite=True)" in str(refused.value)
    assert fits == []


def test_a_sweep_may_begin_anew_but_not_among_other_things(corpus, tmp_path, fits):
    chosen, folder = model(1, max_iter=1), tmp_path / "a"
    sweep(chosen, corpus.counts, [2], n_runs=1, folder=folder)
    sweep(chosen, corpus.counts, [3], n_runs=1, folder=folder, overwrite=True)
    assert fits == [(2, 0), (3, 0)]
    assert [path.name for path in (folder / "fits").iterdir()] == ["k3-seed0.json"]
    other = tmp_path / "b"
    other.mkdir()
    (other / "thesis.tex").write_text("")
    for overwrite in (False, True):
        with pytest.raises(StorageError, match="holds something else"):
            sweep(chosen, corpus.counts, [2], n_runs=1, folder=other, overwrite=overwrite)
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]


def test_a_damaged_fit_is_named(corpus, tmp_path):
    chosen = model(1, max_iter=1)
    sweep(chosen, corpus.counts, [2], n_runs=1, folder=tmp_path)
    (tmp_path / "fits" / "k2-seed0.json").write_text('{"k": 2}')
    with pytest.raises(StorageError, match=r"k2-seed0\.json: damaged: .* delete it"):
        sweep(chosen, corpus.counts, [2], n_runs=1, folder=tmp_path)
    (tmp_path / MARK).write_text("{}")
    with pytest.raises(StorageError, match="cannot be read as the settings of a sweep"):
        sweep(chosen, corpus.counts, [2], n_runs=1, folder=tmp_path)


def test_an_interruption_leaves_what_was_done(corpus, tmp_path):
    """Ctrl-C in the third fit, while it trains."""
    heard, numbers = [], [1, 2, 3]

    def stop(epoch):
        heard.append(epoch)
        if len(heard) == 3:
            raise KeyboardInterrupt

    chosen = model(1, max_iter=1, callbacks=[stop])
    with pytest.raises(KeyboardInterrupt):
        sweep(chosen, corpus.counts, numbers, n_runs=1, folder=tmp_path)
    assert {path.name for path in tmp_path.rglob("*.json")} == {
        "k1-seed0.json",
        "k2-seed0.json",
        MARK,
    }
    sweep(chosen, corpus.counts, numbers, n_runs=1, folder=tmp_path)
    assert len(heard) == 4


@pytest.mark.slow
def test_a_killed_sweep_leaves_what_was_done(tmp_path, fits):
    """SIGKILL, in the middle of the third fit."""
    code = f"""
        from tests.estimators.planted import model, planted
        from topicfactors.studies import sweep, sweep_fits
        fit = sweep_fits.fit
        def slowly(task, k, seed):
            found = fit(task._replace(folder=None), k, seed)
            if k == 4:
                print("third", flush=True)
                import time; time.sleep(60)
            sweep_fits.keep(found, __import__("pathlib").Path(task.folder))
            return found
        sweep_fits.fit = slowly
        counts = planted(factors=3, documents=60).counts
        sweep(model(1, max_iter=1), counts, [2, 3, 4], n_runs=1, folder={str(tmp_path)!r})
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "third\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    counts = planted(factors=3, documents=60).counts
    found = sweep(model(1, max_iter=1), counts, [2, 3, 4], n_runs=1, folder=tmp_path)
    assert fits == [(4, 0)]
    assert [row.k for row in found.rows] == [2, 3, 4]


def test_components_and_processes(corpus, tmp_path):
    chosen = MixtureModel(n_init=1, max_iter=3, random_state=0)
    here = sweep(chosen, corpus.counts, [2, 3], n_runs=1)
    there = sweep(chosen, corpus.counts, [2, 3], n_runs=1, n_jobs=2, folder=tmp_path)
    assert [row[:7] for row in here.rows] == [row[:7] for row in there.rows]
    assert here.rows[0].agreement is None
    assert "agreement" not in here.cells()[0]
    assert "one run says nothing of stability" in here.recommendation.why


def test_counts_that_are_not_whole_are_scored_by_the_bound(corpus):
    found = sweep(model(1, max_iter=1), corpus.counts * 0.5, [2, 3], n_runs=1)
    assert found.score == "held-out bound"
    assert "perplexity" not in found.cells()[0]
    assert found.recommendation.k in (2, 3)


def test_covariates_are_read(corpus):
    years = {"year": np.linspace(1700, 1800, 150)}
    found = sweep(model(1, max_iter=1), corpus.counts, [2], n_runs=1, covariates=years)
    assert len(found.fits) == 1


def test_a_category_of_one_document_is_fitted_and_not_held_out(corpus):
    plain = sweep(model(1, max_iter=1), corpus.counts, [1], n_runs=1)
    places = ["London", "Paris"] * 75
    places[divided(150, 0.2)[1][0]] = "Rome"
    found = sweep(model(1, max_iter=1), corpus.counts, [1], n_runs=1, covariates={"place": places})
    assert found.settings.held_out == plain.settings.held_out - 1
    assert found.settings.documents == plain.settings.documents + 1


def test_categories_that_no_other_document_has_leave_nothing_to_hold_out(corpus):
    places = {"place": [f"place {number}" for number in [*range(29), 0]]}
    with pytest.raises(InputError, match="leave out a column of many categories"):
        sweep(model(1), corpus.counts[:30], [1], n_runs=1, covariates=places)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"k": []}, ConfigurationError, "k must have a number"),
        ({"k": [2, 0]}, ConfigurationError, "k must be a whole number of 1 or more, got 0"),
        ({"k": "ten"}, ConfigurationError, "k must be a whole number"),
        ({"k": [500]}, InputError, "k=500 is more than the 120 documents that are fitted"),
        ({"k": [2], "held_out": 1.0}, ConfigurationError, "held_out must be"),
        ({"k": [2], "held_out": 0.01}, InputError, "too few"),
        ({"k": [2], "n_runs": 0}, ConfigurationError, "n_runs must be"),
    ],
)
def test_what_cannot_be_is_refused(corpus, arguments, error, said, fits):
    with pytest.raises(error, match=said):
        sweep(model(1), corpus.counts, **arguments)
    assert fits == []


def candidates(*rows):
    return [Candidate(*row) for row in rows]


def test_the_smallest_as_good_whose_factors_come_back():
    steady = candidates(
        (5, 0.1, 0.01, 1.0, 0.3), (10, 0.004, 0.005, 0.9, 0.4), (20, 0, 0, 0.5, 0.2)
    )
    said = recommend(steady, "completion")
    assert said.k == 10
    assert "within one standard error of the best (k = 20" in said.why
    assert said.otherwise[0].startswith("k = 20 predicts 0.4% better, and 50% of them come back")
    shaky = [each._replace(came_back=0.4) for each in steady]
    assert recommend(shaky, "completion").k == 10
    assert "but only 40%" in recommend(shaky, "completion").why
    tied = [each._replace(came_back=1.0) for each in shaky[:2]] + shaky[2:]
    tied[1] = tied[1]._replace(behind=0.02, coherent=0.1)
    assert "k = 10 has the steadiest factors" in "".join(recommend(tied, "completion").otherwise)
    wobbling = [*steady[:1], steady[1]._replace(came_back=0.2), steady[2]._replace(came_back=0.8)]
    assert recommend(wobbling, "completion").k == 20
    assert "which those of k = 10 do less" in recommend(wobbling, "completion").why


def test_what_would_change_it_is_said():
    rising = candidates((5, 0.1, 0.01, 1.0, None), (10, 0, 0, 1.0, None))
    assert "try more, such as k = 20" in recommend(rising, "completion").otherwise[-1]
    falling = candidates((8, 0, 0, None, 0.2), (16, 0.1, 0.01, None, 0.4))
    told = recommend(falling, "completion").otherwise
    assert "k = 16 reads best (NPMI x diversity 0.40, here 0.20), 10.5% worse" in told[0]
    closer = candidates(
        (10, 0.01, 0.02, 1.0, 0.2), (20, 0.005, 0.02, 0.9, 0.4), (40, 0, 0, 0.9, 0.1)
    )
    assert "here 0.20), 0.5% better in prediction" in recommend(closer, "completion").otherwise[1]
    assert "try fewer, such as k = 4" in told[1]
    assert "--runs 3" in told[2]
