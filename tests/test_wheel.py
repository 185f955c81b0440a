"""A built wheel, in an environment of its own, reads the demo corpus."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_corpora_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "topicfactors/corpora/pydocs/packages.txt" in names
    assert "topicfactors/corpora/lee/README.md" in names
    assert "topicfactors/corpora/revolution/notes.jsonl" in names
    assert "topicfactors/py.typed" in names
    assert {"page.html", "style.css", "start.js"} <= {Path(name).name for name in names}
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]


@pytest.mark.slow
def test_the_wheel_runs_the_demo_corpus_on_its_own(wheel, tmp_path):
    """The wheel alone in a new environment; what it depends on is lent from this one."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    site = next((tmp_path / "env" / "lib").glob("python*")) / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)
    lent = sysconfig.get_paths()["purelib"]
    (site / "lent.pth").write_text(lent + "\n", encoding="utf-8")
    hidden = "import sys; sys.path = [p for p in sys.path if 'editable' not in p]"
    code = f"{hidden}; from topicfactors.cli.main import main; main()"
    run = [str(python), "-P", "-c", code, "fit", "pydocs", "-k", "4", "--epochs", "2", "-o", "run"]
    result = subprocess.run(
        run, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""}
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "run" / "factors.csv").exists()
    where = subprocess.run(
        [str(python), "-P", "-c", f"{hidden}; import topicfactors; print(topicfactors.__file__)"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert str(site) in where.stdout
