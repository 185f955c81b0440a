"""``topicfactors edit``: factors of a run merged, dropped and named, as a new run."""

import json
import shutil
import tomllib

import numpy as np
import pandas as pd
import pytest
import scipy.io

from tests.export.report.conftest import data_of
from topicfactors import load
from topicfactors.cli.main import main

FILES = {
    *("factors.csv", "factors.json", "metrics.json", "model", "model_card.md", "posteriors.csv"),
    *("report.html", "run.toml", "top_words.csv"),
}


def described(folder):
    return tomllib.loads((folder / "run.toml").read_text())


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture(scope="module")
def mixture(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edit") / "run"
    words = "-k 3 --model mixture --min-df 1 --max-df 1.0 --threads 1 -q --starts 1"
    with pytest.raises(SystemExit) as ended:
        main(["fit", str(corpus), "-o", str(folder), *words.split()])
    assert ended.value.code == 0
    return folder


def test_every_table_is_of_the_edited_model(call, fitted, corpus, tmp_path):
    new = tmp_path / "new"
    before = {path: path.read_bytes() for path in fitted.rglob("*") if path.is_file()}
    arguments = ("--drop", "2", "--merge", "0,1", "--name", "1=machines and clocks")
    outcome = call("edit", fitted, "-o", new, *arguments)
    assert outcome.status == 0, outcome.err
    assert "machines and clocks" in outcome.out
    assert "nats a document" in outcome.err
    assert {path.name for path in new.iterdir()} >= FILES
    pipeline = load(new)
    assert pipeline[-1].factor_names_ == ["machines and clocks"]
    table = pd.read_csv(new / "posteriors.csv")
    assert table.columns.tolist() == ["id", "label", "machines and clocks"]
    texts = [path.read_text() for path in sorted(corpus.rglob("*.txt"))]
    ids = [str(path.relative_to(corpus).with_suffix("")) for path in sorted(corpus.rglob("*.txt"))]
    found = dict(zip(ids, np.asarray(pipeline.transform(texts))[:, 0], strict=True))
    wanted = [found[name.removesuffix(".txt")] for name in table["id"]]
    np.testing.assert_allclose(table["machines and clocks"], wanted, atol=1e-4)
    rows = pd.read_csv(new / "factors.csv")
    assert rows["factor"].tolist() == ["machines and clocks"]
    assert rows["prevalence"][0] == pytest.approx(np.mean(wanted), abs=1e-4)
    assert metrics(new)["held_out"] == {}
    assert metrics(new)["documents"] == 45
    assert "Edited after it was fitted" in (new / "model_card.md").read_text()
    (entry,) = described(new)["edits"]
    assert (entry["merged"], entry["dropped"]) == ([[0, 1]], [2])
    assert described(new)["resolved"] == described(fitted)["resolved"] | described(new)["resolved"]
    assert {path: path.read_bytes() for path in before} == before


def test_the_page_is_of_the_new_run_and_there_is_none_where_the_run_has_none(call, run, tmp_path):
    merged, renamed = tmp_path / "merged", tmp_path / "renamed"
    edits = ("--merge", "0,1", "--name", "0=machines")
    assert call("edit", run, "-o", merged, *edits, "-q").status == 0
    told = data_of(merged / "report.html")
    assert [factor["name"] for factor in told["factors"]] == ["machines", "1"]
    assert len(told["documents"]["texts"]) == 45
    assert call("edit", run, "-o", renamed, "--name", "0=</script><b>", "-q").status == 0
    told, before = data_of(renamed / "report.html"), data_of(run / "report.html")
    assert [factor.pop("name") for factor in told["factors"]] == ["</script><b>", "1", "2"]
    assert [factor.pop("named") for factor in told["factors"]] == [True, False, False]
    for factor in before["factors"]:
        del factor["name"], factor["named"]
    assert told == before
    (run / "report.html").write_text("no page")
    outcome = call("edit", run, "-o", tmp_path / "bare", "--name", "0=steam")
    assert not (tmp_path / "bare" / "report.html").exists()
    bare = tmp_path / "bare"
    assert f"no report.html, topicfactors report {bare} makes one" in outcome.err
    (run / "report.html").unlink()
    outcome = call("edit", run, "-o", tmp_path / "other", "--drop", "0")
    assert outcome.status == 0
    assert not (tmp_path / "other" / "report.html").exists()


def test_names_alone_read_no_documents(call, run, tmp_path):
    path = run / "run.toml"
    text = path.read_text()
    path.write_text(text.replace(described(run)["options"]["corpus"], "gone"))
    (tmp_path / "names.csv").write_text("factor,name\n2,bread\n")
    new = tmp_path / "new"
    outcome = call(
        "edit", run, "-o", new, "--name", "0=steam, boilers", "--names", tmp_path / "names.csv"
    )
    assert outcome.status == 0, outcome.err
    names = ["steam, boilers", 1, "bread"]
    assert load(new)[-1].factor_names_ == names
    old, table = pd.read_csv(run / "posteriors.csv"), pd.read_csv(new / "posteriors.csv")
    assert table.columns[2:].tolist() == ["steam, boilers", "factor_1", "bread"]
    np.testing.assert_array_equal(table.iloc[:, 2:], old.iloc[:, 2:])
    before, after = (json.loads((f / "factors.json").read_text())["factors"] for f in (run, new))
    assert [row.pop("factor") for row in after] == names
    assert [row.pop("factor") for row in before] == [0, 1, 2]
    assert after == before
    assert set(pd.read_csv(new / "top_words.csv")["factor"]) == set(map(str, names))
    assert metrics(new) == metrics(run)
    further = tmp_path / "further"
    assert call("edit", new, "-o", further, "--name", "bread=baking", "-q") == (0, "", "")
    assert load(further)[-1].factor_names_ == ["steam, boilers", 1, "baking"]
    assert [entry["named"] for entry in described(further)["edits"]] == [
        {"0": "steam, boilers", "2": "bread"},
        {"2": "baking"},
    ]
    shown = call("topics", further)
    assert "steam, boilers" in shown.out
    for suffix in ("parquet", "json"):
        assert call("export", further, tmp_path / suffix, "--format", suffix, "-q").status == 0


def test_names_from_json_and_the_result_as_json(call, fitted, tmp_path):
    (tmp_path / "names.json").write_text('{"1": "clocks"}')
    new = tmp_path / "new"
    outcome = call("edit", fitted, "-o", new, "--names", tmp_path / "names.json", "--json", "-q")
    told = json.loads(outcome.out)
    assert told["run"] == str(new)
    assert [row["factor"] for row in told["factors"]] == [0, "clocks", 2]


def test_components_are_edited_too(call, mixture, tmp_path):
    named, merged = tmp_path / "named", tmp_path / "merged"
    assert call("edit", mixture, "-o", named, "--name", "1=clocks", "-q").status == 0
    table, old = (pd.read_csv(folder / "posteriors.csv") for folder in (named, mixture))
    assert table.columns[-3:].tolist() == ["component_0", "component_clocks", "component_2"]
    wanted = old["component"].astype(str).replace("1", "clocks")
    assert table["component"].astype(str).tolist() == wanted.tolist()
    assert call("export", named, tmp_path / "p", "--format", "parquet", "-q").status == 0
    outcome = call("edit", named, "-o", merged, "--merge", "0,clocks")
    assert outcome.status == 0, outcome.err
    table = pd.read_csv(merged / "posteriors.csv")
    assert table.columns[-2:].tolist() == ["component_clocks", "component_1"]
    model = load(merged)[-1]
    assert model.weights_.sum() == pytest.approx(1)
    assert model.prevalence_[0] == pytest.approx(table["component_clocks"].mean(), abs=1e-4)


def test_runs_of_counts_are_edited_too(call, tmp_path):
    counts = scipy.sparse.csr_matrix(np.random.default_rng(0).poisson(1.0, (20, 8)))
    scipy.io.mmwrite(tmp_path / "counts.mtx", counts)
    fit = ["-k", "2", "--epochs", "1", "--threads", "1", "-q"]
    assert call("fit", tmp_path / "counts.mtx", "-o", tmp_path / "run", *fit).status == 0
    new = tmp_path / "new"
    assert call("edit", tmp_path / "run", "-o", new, "--drop", "0", "-q") == (0, "", "")
    found = pd.read_csv(new / "posteriors.csv")["factor_0"]
    np.testing.assert_allclose(found, load(new).transform(counts)[:, 0], atol=1e-4)


def test_covariates_come_from_the_same_table(call, corpus, tmp_path):
    texts = [path.read_text() for path in sorted(corpus.rglob("*.txt"))]
    rows = [{"text": text, "year": 1800 + row} for row, text in enumerate(texts)]
    table = tmp_path / "table.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = [
        "-k",
        "3",
        "--epochs",
        "1",
        "--min-df",
        "1",
        "--max-df",
        "1.0",
        "--threads",
        "1",
        "-q",
        "--covariate",
        "year",
    ]
    assert call("fit", table, "-o", tmp_path / "run", *words).status == 0
    new = tmp_path / "new"
    assert call("edit", tmp_path / "run", "-o", new, "--merge", "0,1", "-q").status == 0
    assert pd.read_csv(new / "effects.csv")["factor"].tolist() == [0, 1]


def test_other_documents_must_be_named(call, refused, run, corpus, tmp_path):
    other = shutil.copytree(corpus, tmp_path / "other")
    next(other.rglob("*.txt")).write_text("engine steam bread")
    path = run / "run.toml"
    path.write_text(path.read_text().replace(str(corpus), str(other)))
    status, line = refused("edit", run, "-o", tmp_path / "new", "--drop", "0")
    assert status == 2
    assert "has changed since" in line
    assert not (tmp_path / "new").exists()
    outcome = call("edit", run, other, "-o", tmp_path / "new", "--drop", "0")
    assert outcome.status == 0
    assert "other documents than those of the fit" in outcome.err
    assert described(tmp_path / "new")["options"]["corpus"] == str(other)


def test_an_existing_run_is_kept_unless_forced(call, refused, fitted, run, tmp_path):
    status, line = refused("edit", fitted, "-o", run, "--name", "0=steam")
    assert status == 1
    assert "exists and is kept" in line
    status, line = refused("edit", run, "-o", run, "--name", "0=steam", "--force")
    assert status == 2
    assert "would replace" in line
    assert call("edit", fitted, "-o", run, "--name", "0=steam", "--force", "-q").status == 0
    assert load(run)[-1].factor_names_[0] == "steam"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to do"),
        (["--name", "steam"], "expected a number or name, '='"),
        (["--drop", "0", "--name", "0=steam"], "is dropped and cannot be named"),
        (["--merge", "0,1", "--name", "0=a", "--name", "1=b"], "is named twice"),
        (["--name", "0=a", "--name", "0=b"], "is named twice"),
        (["--name", "0=id"], "which tables use"),
        (["--merge", "0"], "two or more"),
        (["--merge", "0,9"], "no factor 9"),
        (["--drop", "0,1,2"], "keep one at least"),
        (["--names", "names.txt"], "expected {"),
    ],
)
def test_mistakes_leave_nothing(refused, fitted, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text("0 steam")
    status, line = refused("edit", fitted, "-o", tmp_path / "new", *arguments)
    assert status == 2
    assert said in line
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "0,steam,more\n", "line 1: 3 cells"),
        ("a.csv", b"\xff\xfe", "cannot be read"),
        ("a.json", "[", "not JSON"),
        ("a.json", "[1]", "got a list"),
        ("a.json", '{"0": 3}', "text on one line"),
        ("b.json", None, "cannot be read"),
    ],
)
def test_files_of_names_that_are_none(refused, fitted, tmp_path, name, content, said):
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    arguments = ("--names", tmp_path / name)
    status, line = refused("edit", fitted, "-o", tmp_path / "new", *arguments)
    assert status == 2
    assert said in line


def test_a_damaged_run_is_one_line(refused, run, tmp_path):
    (run / "metrics.json").write_text("{")
    assert refused("edit", run, "-o", tmp_path / "new", "--name", "0=a")[0] == 1
    (run / "run.toml").write_text("")
    status, line = refused("edit", run, "-o", tmp_path / "new", "--name", "0=a")
    assert status == 1
    assert "run.toml: not that of a run" in line
