"""Options that several commands share, and the file that can hold them."""

import pytest
import typer

from topicfactors.cli.options import document_bound


@pytest.mark.parametrize(
    ("text", "bound"), [("5", 5), ("0.5", 0.5), ("1.0", 1.0), ("1e-3", 0.001), ("1", 1)]
)
def test_whole_numbers_are_documents_and_others_shares(text, bound):
    assert document_bound(text, "--min-df") == bound
    assert type(document_bound(text, "--min-df")) is type(bound)


@pytest.mark.parametrize("text", ["", "five", "0.5.5", "1e", "nan", "5 %"])
def test_other_bounds_are_refused(text):
    with pytest.raises(typer.BadParameter, match="must be a number of documents such as 5 or"):
        document_bound(text, "--min-df")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("factors = ", "cannot be read as TOML"),
        ("\xff", "cannot be read as TOML"),
        ("unheard = 1", "unknown option 'unheard'; expected names such as"),
        ("options = 5", "[options] must be a table of options, got 5"),
        ("[options]\nfactors = 'many'", "Invalid value for '--factors' / '-k'"),
        ("[options]\nfactors = [3]", "--factors"),
        ("[options]\nprior = 'unheard'", "prior must be one of"),
    ],
)
def test_a_config_that_cannot_be_used_is_refused(refused, tmp_path, corpus, text, said):
    path = tmp_path / "c.toml"
    path.write_bytes(text.encode("latin-1"))
    status, line = refused("fit", corpus, "-o", tmp_path / "run", "--config", path)
    assert status == 2
    assert said in line
    assert not (tmp_path / "run").exists()


def test_a_config_that_is_not_there_is_refused(refused, tmp_path, corpus):
    status, line = refused("fit", corpus, "--config", tmp_path / "nothing.toml")
    assert (status, "nothing.toml" in line) == (2, True)


def test_options_of_a_config_may_have_hyphens_and_the_command_line_wins(call, tmp_path, corpus):
    path = tmp_path / "c.toml"
    path.write_text("factors = 2\nmin-length = 5\nmin_df = 1\nmax-df = '1.0'\nepochs = 1\n")
    run = tmp_path / "run"
    assert call("fit", corpus, "-o", run, "-q", "--config", path, "-k", "4").status == 0
    assert len((run / "factors.csv").read_text().splitlines()) == 1 + 4
    words = (run / "model" / "vocabulary.txt").read_text().split()
    assert min(map(len, words)) == 5
