"""The promises of docs/extending.md: its parts work everywhere, and the contract tests see them."""

from __future__ import annotations

import gzip
import json
import re
import runpy
import shutil
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import typer

from tests.corpus import test_samples
from tests.estimators import test_wording
from tests.export import test_factors, test_tables
from tests.gradients import test_enumeration, test_estimators
from tests.insight import test_topics
from tests.model import test_landscape, test_likelihoods, test_parts
from tests.test_docs import ROOT, blocks
from tests.test_docstrings import Subject, complaints
from topicfactors import BinaryFactorModel, InputError, load, read_corpus, save
from topicfactors.cli.main import app, main
from topicfactors.cli.models import MODELS
from topicfactors.contracts import Sizes
from topicfactors.corpus import samples
from topicfactors.corpus.columns import Columns
from topicfactors.corpus.count_readers import COUNT_READERS, read_counts
from topicfactors.corpus.readers import READERS
from topicfactors.corpus.samples import SAMPLES, Sample
from topicfactors.errors import TopicFactorsError
from topicfactors.estimators import class_parts
from topicfactors.estimators.parts import REGISTRIES
from topicfactors.export.tables import EXPORTERS
from topicfactors.gradients import GRADIENTS
from topicfactors.insight.topics import RANKINGS
from topicfactors.model.likelihoods import LIKELIHOODS

PAGE = ROOT / "docs" / "extending.md"
OPTIONS = {"response": "response_family"}  # where an option is not called as the parameter
QUICK = ("-k", "3", "--epochs", "2", "--threads", "1", "-q")
OF_TEXTS = ("--min-df", "1", "--max-df", "1.0")
COUNTS = np.random.default_rng(0).poisson(1.0, (60, 12))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """What the page's code defines."""
    namespace: dict[str, object] = {}
    before = {name: dict(registry) for name, registry in REGISTRIES.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for code in blocks(PAGE, "python"):
            exec(compile(code, PAGE.name, "exec"), namespace)
    assert before == REGISTRIES, "the page leaves a part behind"
    return SimpleNamespace(**{k: v for k, v in namespace.items() if not k.startswith("__")})


def status(start, *arguments):
    """How the command line ends; it takes hold of SIGTERM, which is given back."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            start(*arguments)
    finally:
        signal.signal(signal.SIGTERM, before)
    return ended.value.code


@pytest.fixture
def call(capsys):
    """Run the command line; what it prints."""

    def run(*arguments):
        capsys.readouterr()
        code = status(main, [str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run; read only."""
    folder = tmp_path_factory.mktemp("extending") / "run"
    assert status(main, ["fit", "revolution", "-o", str(folder), "--min-df", "2", *QUICK]) == 0
    return folder


@pytest.fixture
def ranking(parts, monkeypatch):
    monkeypatch.setitem(RANKINGS, "square-root", parts.square_root)
    return "square-root"


def test_a_ranking_is_everywhere(ranking, run, call, tmp_path):
    model = load(run / "model")[-1]
    expected = [[word for word, _ in words] for words in model.top_words(10, ranking=ranking)]
    shown = json.loads(call("topics", run, "--ranking", ranking, "--json"))
    assert [row["words"] for row in shown] == expected
    assert expected[0][0] in call("topics", run, "--ranking", ranking)
    call("export", run, tmp_path / "tables", "--ranking", ranking, "-q")
    head = (tmp_path / "tables" / "top_words.csv").read_text().splitlines()[0]
    assert head.endswith(",square-root")
    assert 0 < model.diversity(ranking=ranking) <= 1


def test_a_script_that_registers_is_the_command_line(run, tmp_path, monkeypatch, capsys):
    script = tmp_path / "mine.py"
    script.write_text(next(code for code in blocks(PAGE, "python") if "# mine.py" in code))
    monkeypatch.setattr(sys, "argv", ["mine.py", "topics", str(run), "--ranking", "square-root"])
    monkeypatch.setitem(RANKINGS, "square-root", None)  # taken out again afterwards
    code = status(lambda: runpy.run_path(str(script), run_name="__main__"))
    assert code == 0, capsys.readouterr().err


def test_the_contract_tests_see_a_ranking(ranking):
    known = test_topics.some_factors(3, 5)
    test_factors.test_the_word_table_has_the_score_of_every_ranking(known, ranking)
    names = [f"word{n:02}" for n in range(48)]  # as that test has them
    named = BinaryFactorModel(4, random_state=0, max_iter=2)
    named.fit(np.tile(COUNTS, 4), feature_names=names)
    test_wording.test_top_words_are_the_best_of_the_ranking(ranking, named)
    with pytest.raises(AssertionError):  # until its formula is there
        test_topics.test_every_ranking_is_offered_and_tested()


@pytest.fixture
def likelihood(parts, monkeypatch):
    monkeypatch.setitem(LIKELIHOODS, "tempered", parts.Tempered)
    return "tempered"


def test_a_likelihood_is_fitted_saved_and_loaded(likelihood, call, tmp_path):
    folder = tmp_path / "run"
    arguments = ("revolution", "-o", folder, "--likelihood", likelihood, "--min-df", "2", *QUICK)
    call("fit", *arguments)
    assert load(folder / "model")[-1].likelihood == likelihood
    assert "tempered" in (folder / "model_card.md").read_text()
    assert call("evaluate", folder, "revolution", "--bound", "elbo").count("ELBO") == 1


def test_a_model_needs_its_parts_where_it_is_loaded(parts, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(LIKELIHOODS, "tempered", parts.Tempered)
        model = BinaryFactorModel(2, likelihood="tempered", max_iter=1).fit(COUNTS)
        save(model, tmp_path / "model")
    with pytest.raises(TopicFactorsError, match="'tempered'"):
        load(tmp_path / "model")


def test_the_contract_tests_see_a_likelihood(likelihood):
    test_likelihoods.test_the_derivative_is_that_of_the_value(likelihood)
    test_landscape.test_the_changes_of_the_best_flips_are_exact(likelihood, "log-linear")
    test_parts.test_flips_equal_brute_force("log-linear", 1.0, likelihood)
    with pytest.raises(AssertionError):  # until its formula is there
        test_likelihoods.test_log_prob_is_the_formula(likelihood)


@pytest.fixture
def gradient(parts, monkeypatch):
    monkeypatch.setitem(GRADIENTS, "leave-one-out", parts.LeaveOneOut)
    return "leave-one-out"


def test_a_gradient_estimator_is_chosen_with_its_options(gradient, call, tmp_path):
    chosen = f"{gradient}:samples=3"
    folder = tmp_path / "run"
    call("fit", "revolution", "-o", folder, "--inference", chosen, "--min-df", "2", *QUICK)
    model = load(folder / "model")[-1]
    assert (model.inference_, model.objective_.gradient.samples) == (gradient, 3)


def test_the_contract_tests_see_a_gradient_estimator(gradient, monkeypatch):
    test_estimators.test_loss_and_bound_have_one_value_a_document(gradient)
    test_estimators.test_the_loss_at_full_weight_is_minus_the_bound(gradient)
    make = GRADIENTS[gradient]
    monkeypatch.setitem(test_enumeration.UNBIASED, gradient, lambda: make(Sizes(8, 5), samples=2))
    monkeypatch.setattr(test_enumeration, "COPIES", 50_000)
    prove = test_enumeration.test_the_mean_of_an_unbiased_estimator_is_the_exact_gradient
    prove(gradient, torch.float64)
    monkeypatch.setitem(
        test_enumeration.UNBIASED, gradient, lambda: GRADIENTS["straight-through"](Sizes(8, 5))
    )
    with pytest.raises(AssertionError):
        prove(gradient, torch.float64)


@pytest.mark.parametrize("packed", [False, True])
def test_a_reader_of_texts_serves_every_command(parts, call, tmp_path, monkeypatch, packed):
    monkeypatch.setitem(READERS, ".paragraphs", parts.read_paragraphs)
    text = "\n\n".join(list(read_corpus("revolution").texts)[:40]).encode()
    path = tmp_path / ("notes.paragraphs.gz" if packed else "notes.paragraphs")
    path.write_bytes(gzip.compress(text) if packed else text)
    call("fit", path, "-o", tmp_path / "run", *OF_TEXTS, *QUICK)
    lines = call("transform", tmp_path / "run", path).splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [f"paragraph-{n}" for n in range(40)]
    assert call("explain", tmp_path / "run", path, "--id", "paragraph-3")
    with pytest.raises(InputError, match=r"\.paragraphs"):
        read_corpus(PAGE)  # no suffix that is known: the message lists them


def test_a_reader_of_counts_serves_every_command(parts, call, tmp_path, monkeypatch):
    monkeypatch.setitem(COUNT_READERS, ".ldac", parts.read_ldac)
    path = tmp_path / "notes.ldac"
    with path.open("w") as stream:
        for row in COUNTS:
            pairs = [f"{word}:{count}" for word, count in enumerate(row) if count]
            stream.write(f"{len(pairs)} {' '.join(pairs)}\n")
    (tmp_path / "vocab.txt").write_text("".join(f"word{n}\n" for n in range(12)))
    assert (read_counts(path).counts.toarray() == COUNTS).all()
    call("fit", path, "-o", tmp_path / "run", *QUICK)
    model = load(tmp_path / "run" / "model")
    assert model.feature_names_in_.tolist() == [f"word{n}" for n in range(12)]
    assert len(call("transform", tmp_path / "run", path).splitlines()) == 61
    path.write_text("1 0:x\n")
    with pytest.raises(InputError, match=r"line 1: must be pairs word:count, got '0:x'"):
        read_counts(path)


def test_an_exporter_serves_every_command(parts, run, call, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPORTERS, ".html", parts.write_html)
    call("export", run, tmp_path / "tables", "--format", "html", "-q")
    for name, rows in (("factors", 3), ("top_words", 30), ("posteriors", 180)):
        page = (tmp_path / "tables" / f"{name}.html").read_text(encoding="utf-8")
        assert len(re.findall("^<tr><td>", page, re.M)) == rows
    call("transform", run, "revolution", "-o", tmp_path / "p.html", "-q")
    call("corpora", "revolution", tmp_path / "notes.html", "-q")
    assert (tmp_path / "notes.html").read_text(encoding="utf-8").count("<tr><td>") == 180


def test_the_contract_tests_see_an_exporter(parts, tmp_path, monkeypatch):
    monkeypatch.setitem(EXPORTERS, ".html", parts.write_html)
    test_tables.test_lines_end_in_a_line_feed_alone(tmp_path, ".html")
    check = test_tables.test_a_failure_between_blocks_leaves_the_earlier_file_and_no_other
    check(tmp_path, ".html", InputError)
    with pytest.raises(KeyError):  # until it is said how it is read back
        test_tables.test_pandas_reads_what_was_written(tmp_path, ".html", 1)


def test_a_sample_corpus_is_named_instead_of_a_path(parts, call, tmp_path, monkeypatch):
    monkeypatch.setitem(SAMPLES, "weather", Sample(parts.weather, "60 reports"))
    call("fit", "weather", "-o", tmp_path / "run", *OF_TEXTS, *QUICK)
    assert len(call("transform", tmp_path / "run", "weather").splitlines()) == 61
    assert "weather       60 reports" in call("corpora")
    with pytest.raises(FileNotFoundError):  # until its page is there
        test_samples.test_every_sample_has_its_page()
    corpora = shutil.copytree(ROOT / "corpora", tmp_path / "corpora")
    (corpora / "weather").mkdir()
    page = "# weather\n\n**Source** **Licence** **Size** **How it is made** **id**\n"
    (corpora / "weather" / "README.md").write_text(page)
    for module in (samples, test_samples):
        monkeypatch.setattr(module, "corpora_folder", lambda: corpora)
    test_samples.test_every_sample_has_its_page()
    assert call("corpora", "weather") == page


def test_the_parts_of_the_page_have_complete_docstrings(parts):
    functions = (parts.read_paragraphs, parts.read_ldac, parts.write_html, parts.weather)
    for value in (*functions, parts.square_root, parts.flat):
        assert complaints(Subject(value.__name__, value)) == []
    for value in (parts.Tempered, parts.LeaveOneOut):
        assert complaints(Subject(value.__name__, value, fewest=1, cited=True)) == []


# ---- what every part of a registry is held to, beside the tests that the page names ----


@pytest.mark.parametrize("suffix", READERS)
def test_a_reader_refuses_a_file_that_is_not_there(suffix, tmp_path):
    path = tmp_path / f"absent{suffix}"
    with pytest.raises(InputError, match=re.escape(str(path))) as caught:
        list(READERS[suffix](str(path), Columns()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, b"\x89PNG\r\n\x1a\n\0\0", b"no counts at all\n"])
@pytest.mark.parametrize("suffix", COUNT_READERS)
def test_a_reader_of_counts_refuses_what_it_cannot_read(suffix, data, tmp_path):
    path = tmp_path / f"counts{suffix}"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=re.escape(str(path))) as caught:
        read_counts(path)
    assert "\n" not in str(caught.value)


def help_of(command: str, parameter: str) -> str:
    commands = typer.main.get_command(app).commands
    (found,) = (option for option in commands[command].params if option.name == parameter)
    return found.help


@pytest.mark.parametrize(
    ("command", "parameter", "names"),
    [
        *(("fit", OPTIONS.get(name, name), registry) for name, registry in REGISTRIES.items()),
        *(
            ("fit", OPTIONS.get(name, name), known)
            for name, known in class_parts.REGISTRIES.items()
        ),
        ("fit", "model", MODELS),
        ("fit", "corpus", SAMPLES),
        ("topics", "ranking", RANKINGS),
        ("export", "ranking", RANKINGS),
        ("export", "style", [suffix[1:] for suffix in EXPORTERS]),
        ("transform", "output", EXPORTERS),
        ("corpora", "file", set(EXPORTERS) - {".md"}),  # for reading alone, which texts are not
    ],
)
def test_the_help_of_an_option_names_every_part(command, parameter, names):
    text = help_of(command, parameter)
    assert [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}\b", text)] == []
