"""Files and folders are written whole or not at all, and other people's are kept."""

import os
import stat

import pytest

from topicfactors.errors import InputError, StorageError
from topicfactors.files import refuse_existing, refuse_source, whole_file, whole_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends_well(tmp_path):
    path = tmp_path / "deep" / "er" / "out.txt"
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["out.txt"]


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_the_earlier_file_and_nothing_else(tmp_path, kind):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def half():
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise kind

    with pytest.raises(kind):
        half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["out.txt"]


def test_a_written_file_has_the_permissions_of_any_other(tmp_path):
    with whole_file(tmp_path / "out.txt") as temporary:
        temporary.write_text("x")
    (tmp_path / "plain.txt").write_text("x")
    modes = {stat.S_IMODE(os.stat(tmp_path / n).st_mode) for n in ("out.txt", "plain.txt")}
    assert len(modes) == 1


def test_a_folder_in_the_place_of_a_file_is_kept(tmp_path):
    (tmp_path / "out.txt").mkdir()
    refused = pytest.raises(StorageError, match=r"out\.txt: cannot be written")
    with refused, whole_file(tmp_path / "out.txt") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "out.txt").is_dir()
    assert names(tmp_path) == ["out.txt"]


def test_a_parent_that_is_a_file_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="choose a folder"), whole_file(tmp_path / "file" / "o"):
        pass
    with pytest.raises(StorageError, match="choose a folder"), whole_folder(tmp_path / "file/o"):
        pass


def test_a_folder_appears_when_the_block_ends_well(tmp_path):
    with whole_folder(tmp_path / "run") as temporary:
        (temporary / "a").write_text("1")
        assert not (tmp_path / "run").exists()
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["a"]


def test_an_existing_folder_is_kept_unless_told_otherwise(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a").write_text("old")
    refused = pytest.raises(StorageError, match="--force, or overwrite=True")
    with refused, whole_folder(tmp_path / "run"):
        raise AssertionError("the block must not be entered")
    with whole_folder(tmp_path / "run", overwrite=True) as temporary:
        (temporary / "b").write_text("new")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["b"]


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_exception_leaves_the_earlier_folder_and_nothing_else(tmp_path, kind):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a").write_text("old")

    def half():
        with whole_folder(tmp_path / "run", overwrite=True) as temporary:
            (temporary / "b").write_text("half")
            raise kind

    with pytest.raises(StorageError if kind is OSError else kind):
        half()
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["a"]


def test_the_earlier_folder_comes_back_when_the_new_one_cannot_be_moved(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a").write_text("old")
    moves, move = [], os.replace

    def second_fails(source, target):
        moves.append(target)
        if len(moves) == 2:
            raise OSError(28, "No space left on device")
        move(source, target)

    monkeypatch.setattr(os, "replace", second_fails)
    refused = pytest.raises(StorageError, match="No space left")
    with refused, whole_folder(tmp_path / "run", overwrite=True):
        pass
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["a"]


def test_a_folder_of_something_else_is_kept_even_when_overwriting(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    refused = pytest.raises(StorageError, match=r"something else \(there is no run\.toml in it\)")
    with refused, whole_folder(tmp_path / "photos", overwrite=True, mark="run.toml"):
        pass
    assert names(tmp_path / "photos") == ["cat.jpg"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "thesis").write_text("years of work")
    with pytest.raises(StorageError, match="is kept"):
        refuse_existing(tmp_path / "thesis", True, mark="run.toml")


def test_an_empty_folder_and_a_marked_one_may_be_replaced(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.toml").write_text("")
    for name in ("empty", "run"):
        with whole_folder(tmp_path / name, overwrite=True, mark="run.toml") as temporary:
            (temporary / "new").write_text("")
        assert names(tmp_path / name) == ["new"]


def test_what_is_read_is_not_replaced(tmp_path):
    (tmp_path / "corpus").mkdir()
    source = tmp_path / "corpus" / "a.txt"
    source.write_text("x")
    for output in (source, tmp_path / "corpus", tmp_path, tmp_path / "corpus" / ".." / "corpus"):
        with pytest.raises(InputError, match="would replace"):
            refuse_source(output, source)
    refuse_source(tmp_path / "corpus" / "b.txt", source)
    refuse_source(tmp_path / "corp", source)
    refuse_source(tmp_path, tmp_path / "not-there")
