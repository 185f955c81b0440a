"""Topic models side by side: scores, rows that break off, and what is not installed."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.sparse
from sklearn.decomposition import PCA

from tests.estimators.planted import planted
from topicfactors import BinaryFactorModel, ConfigurationError, InputError, MixtureModel, studies
from topicfactors.estimators.halves import halves
from topicfactors.insight.metrics import npmi
from topicfactors.peers import PEERS, contest
from topicfactors.peers.ours import OURS
from topicfactors.peers.shelf import Shelf
from topicfactors.studies import processes
from topicfactors.studies.lineup import cure, entries
from topicfactors.studies.material import rows_of
from topicfactors.studies.quality_results import QualitySettings, QualityStudy, Trial
from topicfactors.studies.tournament import Tournament

BROKEN = """
import os
class LDAModel:
    def __init__(self, **options):
        {what}
"""


@pytest.fixture(scope="module")
def counts():
    return planted(factors=3, documents=80, length=25).counts


@pytest.fixture(scope="module")
def study(counts):
    models = {"ours": MixtureModel(3, max_iter=3), "nmf": "sklearn-nmf"}
    return studies.compare(counts, 3, models, seeds=[0, 1])


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Put a module in the place of a package."""

    def put(name, text):
        path = tmp_path / "fakes" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        monkeypatch.syspath_prepend(path.parent)

    return put


def test_figures_are_those_of_the_words_and_the_models(study, counts):
    counts = scipy.sparse.csr_matrix(counts)
    rows, kept = rows_of(counts.shape[0], 0.1)
    for trial in study.trials:
        columns = np.array([[int(word) for word in words] for words in trial.words])
        assert trial.npmi == pytest.approx(float(npmi(counts[rows], columns).mean()))
        assert trial.npmi_held_out == pytest.approx(float(npmi(counts[kept], columns).mean()))
        assert trial.diversity == len(np.unique(columns)) / columns.size
        assert trial.product == trial.npmi * trial.diversity
        assert 0 < trial.c_v < 1
        assert trial.fit_seconds > 0
        assert trial.documents_per_second > 0
        assert trial.memory_mib > 1
    ours = next(trial for trial in study.trials if trial.model == "ours" and trial.seed == 1)
    model = MixtureModel(3, max_iter=3, random_state=1, n_jobs=1).fit(counts[rows])
    seen, unseen = halves(counts[kept])
    assert ours.completion == pytest.approx(model.completion_perplexity(seen, unseen), rel=1e-3)
    assert all(trial.completion is None for trial in study.trials if trial.model == "nmf")
    totals = np.asarray(counts[rows].sum(0)).ravel() + 0.5
    logs = unseen @ np.log(totals / totals.sum())
    assert study.settings.unigram == pytest.approx(np.exp(-logs.sum() / unseen.sum()))


def test_a_table_has_means_and_deviations_over_seeds(study):
    frame = study.to_pandas()
    values = [trial.npmi for trial in study.trials if trial.model == "ours"]
    assert len(values) == 2
    assert frame.loc["ours", "npmi"] == pytest.approx(np.mean(values))
    assert frame.loc["ours", "npmi_sd"] == pytest.approx(np.std(values, ddof=1))
    heads, *rows = study.cells()
    assert heads[:2] == ["model", "NPMI × diversity"]
    assert rows[-1][0] == "unigram"
    assert "±" in rows[0][1]
    nmf = next(row for row in rows if row[0] == "nmf")
    assert nmf[heads.index("completion")] == "—"
    assert "seeds 0, 1, mean ± standard deviation" in study.markdown()
    assert len(study.as_dict()["trials"]) == 4
    json.dumps(study.as_dict())
    assert study.words("nmf", 1) == next(
        trial.words for trial in study.trials if (trial.model, trial.seed) == ("nmf", 1)
    )
    with pytest.raises(KeyError):
        study.words("nobody")


def test_negative_coherence_is_not_ordered_by_its_product():
    trials = [
        Trial(name, 0, npmi=npmi, diversity=diversity)
        for name, npmi, diversity in [
            ("repeats itself", -0.1, 0.2),
            ("bad", -0.3, 0.9),
            ("less bad", -0.2, 0.9),
            ("good", 0.1, 0.5),
        ]
    ]
    settings = QualitySettings(2, 10, 10, 1, 100, 9.0, False, (0,), 1, 1, "cpu")
    study = QualityStudy(settings, tuple(trials), {})
    names = [record["model"] for record in study.records()]
    assert names == ["good", "less bad", "bad", "repeats itself"]
    assert [row[1] for row in study.cells()[1:]] == ["0.050", "—", "—", "—", "—"]


@pytest.mark.parametrize(
    ("what", "remark"),
    [
        ("raise ValueError('no\\n more')", "ValueError: no more"),
        ("os.abort()", "ended by SIGABRT"),
        ("os._exit(3)", "ended with status 3: nothing was said"),
    ],
)
def test_a_model_that_breaks_off_costs_its_own_row(counts, fake, what, remark):
    fake("tomotopy", BROKEN.format(what=what))
    trial = studies.compare(counts, 3, ["tomotopy-lda"], c_v=False).trials[0]
    assert (trial.npmi, trial.fit_seconds, trial.remark) == (None, None, remark)


def test_a_package_that_lacks_another_costs_its_own_row(counts, fake):
    fake("tomotopy", "import nothing_of_that_name")
    found = studies.compare(counts, 3, ["tomotopy-lda", "sklearn-nmf"], c_v=False)
    remark = "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    heads, *rows = found.cells()
    assert heads[-1] == "remark"
    assert [row[0] for row in rows] == ["scikit-learn NMF", "tomotopy LDA", "unigram"]
    assert [row[-1] for row in rows] == ["", remark, ""]
    assert [trial.npmi is None for trial in found.trials] == [True, False]


def test_what_is_not_installed_is_said_with_the_cure(counts, monkeypatch):
    gone = PEERS["corex"]._replace(modules=("nothing_of_that_name",))
    monkeypatch.setitem(PEERS, "corex", gone)
    found, missing = entries(None)
    assert "CorEx" not in [entry.label for entry in found]
    assert ("CorEx", ("corextopic", "six")) in missing
    assert cure(missing).startswith("pip install ")
    study = studies.compare(counts, 3, ["corex", "sklearn-nmf"], c_v=False)
    remarks = {record["model"]: record["remark"] for record in study.records()}
    assert remarks == {
        "scikit-learn NMF": None,
        "CorEx": "not installed: pip install corextopic six",
    }


def test_all_that_are_installed_take_part_but_the_one_that_fetches():
    labels = [entry.label for entry in entries(None)[0]]
    assert labels[:3] == [ours.label for ours in OURS.values()]
    assert {"scikit-learn LDA", "scikit-learn NMF", "gensim LDA"} <= set(labels)
    assert "BERTopic, sentences" not in labels


def test_models_of_ones_own_are_fitted_as_they_are():
    model = BinaryFactorModel(7, inference="nvil:samples=2", random_state=3, overlap_penalty=1.0)
    (entry,), _ = entries({"mine": model})
    assert entry.label == "mine"
    assert entry.job == {
        "peer": None,
        "kind": "BinaryFactorModel",
        "params": {"n_components": 7, "inference": "nvil:samples=2", "overlap_penalty": 1.0},
    }
    assert "inference='nvil:samples=2'" in entry.settings


def test_tokens_in_their_order_are_those_of_the_counts(counts):
    whole = scipy.sparse.csr_matrix(counts)
    words = np.array([f"w{column}" for column in range(whole.shape[1])])
    random = np.random.default_rng(0)
    columns = [np.repeat(row.indices, row.data.astype(int)) for row in whole]
    order = [random.permutation(row) for row in columns]
    tokens = [[*words[row], "not-counted"] for row in order]
    made = Tournament(whole, 3, ["sklearn-nmf"], tokens=tokens, feature_names=words)
    rows = rows_of(whole.shape[0], 0.1)[0]
    for kept, row in zip(made.shelf.order, rows, strict=True):
        np.testing.assert_array_equal(kept, order[row])
    tokens[4] = tokens[4][1:]
    with pytest.raises(InputError, match="row 4 has others"):
        Tournament(whole, 3, ["sklearn-nmf"], tokens=tokens, feature_names=words)
    with pytest.raises(InputError, match="tokens must have a row for each of the 80"):
        Tournament(whole, 3, ["sklearn-nmf"], tokens=tokens[:4], feature_names=words)


def test_documents_without_words_are_left_out_and_held_out_ones_may_be_given(counts):
    whole = scipy.sparse.csr_matrix(counts, copy=True)
    training, held = scipy.sparse.vstack([whole[:40], 0 * whole[:1]]), whole[40:43]
    made = Tournament(training, 3, ["sklearn-nmf"], X_held_out=held)
    assert made.shelf.counts.shape[0] == 40
    assert (made.shelf.seen + made.shelf.unseen != held).nnz == 0
    again = made.shelf
    assert again.order is None


def test_a_shelf_is_read_as_it_was_written(counts, tmp_path):
    whole = scipy.sparse.csr_matrix(counts)
    order = [np.array([2, 1, 2]), np.array([], int), np.array([0])]
    shelf = Shelf(whole, whole, whole, whole, ["a", "b"], order, ["A, b", ""], None)
    shelf.write(tmp_path)
    found = Shelf.read(tmp_path)
    assert (found.counts != whole).nnz == 0
    assert [list(columns) for columns in found.order] == [[2, 1, 2], [], [0]]
    assert found[4:] == (["a", "b"], found.order, ["A, b", ""], None)


def test_memory_is_that_of_the_fit_and_not_of_its_parent():
    """Linux hands ru_maxrss down to children; what is counted here is their own."""
    ballast = np.ones(300 * 2**17)  # 300 MiB
    code = "from topicfactors.peers.contest import peak_memory; print(peak_memory())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=processes.environment(1),
    )
    assert contest.peak_memory() > 300
    assert 10 < float(done.stdout) < 250
    assert ballast.sum() > 0


def test_the_process_of_a_peer_loads_nothing_of_ours():
    code = "import sys, topicfactors.peers.contest; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_interruption_ends_what_runs(counts, fake, tmp_path):
    fake(
        "tomotopy",
        "import os, pathlib, time\n"
        "class LDAModel:\n"
        "    def __init__(self, **options):\n"
        f"        pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
        "        time.sleep(60)\n",
    )
    tournament = Tournament(counts, 3, ["tomotopy-lda", "sklearn-nmf"], c_v=False, jobs=2)
    trials = iter(tournament)
    assert next(trials).model == "scikit-learn NMF"
    while not (tmp_path / "pid").exists():
        time.sleep(0.05)
    trials.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n_components": 0}, "n_components must be"),
        ({"n_components": 73}, "more than the 72 documents"),
        ({"models": []}, "at least one name"),
        ({"models": "factors"}, "models must be a list"),
        ({"models": ["factor"]}, "did you mean 'factors'"),
        ({"models": ["factors", "factors"]}, "there twice"),
        ({"models": [PCA()]}, "must be a BinaryFactorModel or a MixtureModel"),
        ({"models": [BinaryFactorModel(3, callbacks=[print])]}, "its callbacks cannot be told"),
        ({"seeds": []}, "seeds must be different whole numbers"),
        ({"seeds": [1, 1]}, "seeds must be different whole numbers"),
        ({"seeds": 3}, "seeds must be different whole numbers"),
        ({"held_out": 1.0}, "held_out must be a number above 0 to below 1"),
        ({"jobs": 0}, "jobs must be a whole number"),
        ({"texts": ["one"]}, "texts must have a row"),
    ],
)
def test_mistakes_are_refused_before_anything_is_fitted(counts, arguments, said):
    with pytest.raises((ConfigurationError, InputError), match=said):
        Tournament(counts, **{"n_components": 3, "models": ["sklearn-nmf"]} | arguments)


def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(InputError, match=r"whole numbers.*got 0.5 in row 2"):
        Tournament(np.array([[1, 2], [2, 1], [0.5, 3], [1, 1]]), 1, ["sklearn-nmf"])
    with pytest.raises(InputError, match="no held-out document has two tokens"):
        Tournament(counts, 3, ["sklearn-nmf"], X_held_out=np.eye(4, counts.shape[1]))
