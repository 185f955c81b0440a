"""Runs of the three models: fitted, read by every command, and options of another model refused."""

import csv
import json
import tomllib

import numpy as np
import pytest
import scipy.io

from tests.cli.conftest import THEMES, make_texts
from topicfactors import MixtureModel, SemiSupervisedClassifier, load
from topicfactors.cli.main import main
from topicfactors.cli.models import MODELS, TAKEN

WORDS = ("--min-df", "1", "--max-df", "1.0", "--threads", "1", "-q")
OPTIONS = {
    "mixture": ("-k", "3"),
    "semisupervised": ("--components-per-class", "2"),
}
FILES = {
    *("factors.csv", "factors.json", "metrics.json", "model", "model_card.md"),
    *("posteriors.csv", "report.html", "run.toml", "top_words.csv"),
}


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Texts of three themes, two of three with a label, each with a year."""
    path = tmp_path_factory.mktemp("models") / "texts.csv"
    names = list(THEMES)
    rows = [
        f"d{n},{text},{names[n % 3] if n % 9 < 6 else ''},{1700 + 10 * (n % 3)}\n"
        for n, text in enumerate(make_texts())
    ]
    path.write_text("id,text,theme,year\n" + "".join(rows))
    return path


@pytest.fixture(scope="module")
def runs(table):
    """A run of each model; read only."""
    found = {}
    for model, options in OPTIONS.items():
        found[model] = table.parent / model
        arguments = ["fit", table, "-o", found[model], "--model", model, *options, *WORDS]
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--label-column", "theme"])
        assert ended.value.code == 0
    return found


@pytest.fixture(params=list(OPTIONS))
def run(request, runs):
    return runs[request.param]


def test_a_run_has_its_files(runs):
    assert {path.name for path in runs["mixture"].iterdir()} == FILES
    assert {path.name for path in runs["semisupervised"].iterdir()} == FILES | {"classes.csv"}


def test_the_options_of_a_run_are_those_that_its_model_takes(run):
    options = tomllib.loads((run / "run.toml").read_text())["options"]
    assert options["likelihood"] == "multinomial"
    assert all(options["model"] in TAKEN.get(name, MODELS) for name in options)


def test_a_mixture_is_listed_by_its_components(runs, table):
    folder = runs["mixture"]
    model = load(folder)[-1]
    assert isinstance(model, MixtureModel)
    assert [row["factor"] for row in rows_of(folder / "factors.csv")] == ["0", "1", "2"]
    found = rows_of(folder / "posteriors.csv")
    assert list(found[0]) == ["id", "label", "component", *(f"component_{n}" for n in range(3))]
    assert len(found) == 45
    for row in found:
        probabilities = [float(row[f"component_{n}"]) for n in range(3)]
        assert sum(probabilities) == pytest.approx(1, abs=1e-4)
        assert int(row["component"]) == np.argmax(probabilities)
    together = {(row["component"], n % 3) for n, row in enumerate(found)}
    assert len(together) == 3  # every theme is a component


def test_a_classifier_tells_the_class_of_every_document(runs):
    folder = runs["semisupervised"]
    assert isinstance(load(folder)[-1], SemiSupervisedClassifier)
    found = rows_of(folder / "posteriors.csv")
    classes = [f"class_{name}" for name in sorted(THEMES)]
    assert list(found[0]) == ["id", "label", "predicted", *classes]
    assert [row["predicted"] for row in found] == [list(THEMES)[n % 3] for n in range(45)]
    assert {row["label"] for row in found} == {"", *THEMES}
    told = {row["class"]: row["top_words"].split() for row in rows_of(folder / "classes.csv")}
    assert all(set(told[name][:6]) == set(words.split()) for name, words in THEMES.items())
    names = [row["factor"] for row in rows_of(folder / "factors.csv")]
    assert names == [f"{name}.{part}" for name in sorted(THEMES) for part in range(2)]


def test_the_metrics_of_a_classifier_say_how_sure_it_is(runs):
    metrics = json.loads((runs["semisupervised"] / "metrics.json").read_text())
    assert metrics["labelled"] == dict.fromkeys(sorted(THEMES), 10)
    assert metrics["hidden_labels"]["accuracy"] > 0.9
    assert 0 <= metrics["calibration"]["expected_calibration_error"] < 0.2
    assert len(metrics["cross_validation"]) > 1
    card = (runs["semisupervised"] / "model_card.md").read_text()
    assert card.startswith("# Model card: 3 classes of ")
    assert "on or off" not in card
    assert "predict_proba(texts)" in card


def test_the_card_of_a_mixture_speaks_of_components(runs):
    card = (runs["mixture"] / "model_card.md").read_text()
    assert card.startswith("# Model card: 3 components of ")
    assert "factor" not in card.replace("topicfactors", "")


def test_transform_gives_the_columns_of_the_run(call, run, table, tmp_path):
    assert call("transform", run, table, "-o", tmp_path / "new.csv", "-q").status == 0
    old, new = rows_of(run / "posteriors.csv"), rows_of(tmp_path / "new.csv")
    kept = [name for name in old[0] if name in new[0]]
    assert [name for name in old[0] if name not in new[0]] in ([], ["label"])
    assert new == [{name: row[name] for name in kept} for row in old]


def test_documents_without_labels_have_no_column_of_them(call, runs, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("text\nsteam engine piston\n")
    told = call("transform", runs["semisupervised"], path, "-q").out.splitlines()
    assert told[0].startswith("id,predicted,class_baking")
    assert told[1].startswith("0,engines,")


def test_topics_are_shown(call, runs):
    assert call("topics", runs["mixture"]).out.split()[:2] == ["component", "share"]
    assert "clocks.1" in call("topics", runs["semisupervised"]).out
    rows = json.loads(call("topics", runs["semisupervised"], "--json").out)
    assert [row["factor"] for row in rows][::2] == [f"{name}.0" for name in sorted(THEMES)]


def test_a_document_is_explained(call, runs, table):
    told = call("explain", runs["mixture"], table, "--id", "d0").out
    assert "most probable component" in told
    told = call("explain", runs["semisupervised"], "the piston of a steam engine").out
    assert "most probable class: engines" in told


def test_evaluate_scores_the_words_and_the_labels(call, runs, table):
    scores = json.loads(call("evaluate", runs["mixture"], table, "--json").out)
    assert [bound["bound"] for bound in scores["bounds"]] == ["exact"]
    assert "labels" not in scores
    scores = json.loads(call("evaluate", runs["semisupervised"], table, "--json").out)
    assert scores["labels"]["documents"] == 30
    assert scores["labels"]["accuracy"] == 1.0
    assert 0 <= scores["labels"]["log_loss"] < 0.1
    shown = call("evaluate", runs["semisupervised"], table, "--bound", "exact").out
    assert "30 documents with a label: 100.0% told right" in shown


def test_labels_that_are_no_class_are_left_out(call, runs, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("text,label\nsteam engine piston,engines\ncomet star steam,stars\n")
    outcome = call("evaluate", runs["semisupervised"], path)
    assert "1 documents with a label" in outcome.out
    assert "no class of the run, such as 'stars'" in outcome.out


@pytest.mark.parametrize("style", ["csv", "json"])
def test_tables_are_exported(call, run, tmp_path, style):
    assert call("export", run, tmp_path / "out", "--format", style, "-q").status == 0
    if style == "csv":
        assert (tmp_path / "out" / "posteriors.csv").read_text() == (
            run / "posteriors.csv"
        ).read_text()
        return
    rows = json.loads((tmp_path / "out" / "posteriors.json").read_text())
    assert isinstance(rows[0].get("component", rows[0].get("predicted")), int | str)


def test_a_mixture_has_covariates_and_a_response(call, table, tmp_path):
    run = tmp_path / "run"
    asked = ("--model", "mixture", "-k", "3", *WORDS)
    outcome = call("fit", table, "-o", run, *asked, "--covariate", "year", "--response", "year")
    assert outcome.status == 0, outcome.err
    assert len(rows_of(run / "effects.csv")) == 3
    for row, year in zip(rows_of(run / "posteriors.csv"), [1700, 1710, 1720] * 15, strict=True):
        assert float(row["response"]) == pytest.approx(year, abs=5)
    assert {row["response"] for row in rows_of(run / "factors.csv")} != {""}


def test_a_mixture_of_counts(call, tmp_path):
    counts = np.random.default_rng(0).poisson(1.0, (30, 8))
    scipy.io.mmwrite(tmp_path / "counts.mtx", scipy.sparse.csr_matrix(counts))
    run, source = tmp_path / "run", tmp_path / "counts.mtx"
    asked = ("--model", "mixture", "-k", "2", "--threads", "1", "-q")
    assert call("fit", source, "-o", run, *asked).status == 0
    assert "component" in call("transform", run, source).out
    assert "component" in call("explain", run, source, "--id", "0").out
    assert call("evaluate", run, source, "-q").status == 0


@pytest.mark.parametrize(("given", "kept"), [("none", None), ("2.5", 2.5), ("auto", "auto")])
def test_long_documents_may_be_believed_less(call, table, tmp_path, given, kept):
    options = ("-k", "2", "--epochs", "1", "--no-report", "--length-tempering", given)
    call("fit", table, "-o", tmp_path / "run", *options, *WORDS)
    model = load(tmp_path / "run" / "model")[-1]
    assert model.length_tempering == kept
    assert hasattr(model, "length_tempering_") == (kept == "auto")


def test_what_was_learnt_before_an_interruption_is_kept(call, table, tmp_path, monkeypatch):
    from topicfactors.cli.progress import _Training

    def stop(shown, epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(_Training, "__call__", stop)
    run = tmp_path / "run"
    asked = ("--model", "mixture", "-k", "3", "--inference", "exact", *WORDS)
    outcome = call("fit", table, "-o", run, *asked)
    assert outcome.status == 130
    assert "what was learnt until then" in outcome.err
    assert json.loads((run / "metrics.json").read_text())["stopped"] == "interrupted"


def test_an_interruption_while_labels_are_hidden_ends_the_fit(call, table, tmp_path, monkeypatch):
    from topicfactors.cli.progress import _Training

    seen = []

    def stop(shown, epoch):
        seen.append(epoch)
        raise KeyboardInterrupt

    monkeypatch.setattr(_Training, "__call__", stop)
    asked = ("--model", "semisupervised", "--label-column", "theme", "--inference", "exact")
    outcome = call("fit", table, "-o", tmp_path / "run", *asked, *WORDS)
    assert outcome.status == 130
    assert len(seen) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "model"),
    [(option, model) for option in TAKEN for model in MODELS if model not in TAKEN[option]],
)
def test_an_option_of_another_model_is_refused(refused, table, option, model, tmp_path):
    value = "3" if option in NUMBERS else "1.0"
    spelt = "--" + option.replace("_", "-")
    _, line = refused("fit", table, "--model", model, spelt, value, "-o", tmp_path / "run")
    assert line.startswith(f"topicfactors: {spelt} is of --model ")
    assert line.endswith("; leave it out")


NUMBERS = ("factors", "patience", "components_per_class", "shared_factors")


def test_what_the_inference_has_no_use_for_is_refused(refused, table, tmp_path):
    asked = ("fit", table, "--model", "mixture", "-o", tmp_path / "run")
    assert "leave it out" in refused(*asked, "--patience", "3")[1]
    assert "--encoder" in refused(*asked, "--encoder", "bag-of-words")[1]
