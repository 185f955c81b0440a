"""A fuzzer that is led by coverage: ``python -m tests.fuzz.drivers.guided TARGET [libFuzzer's …]``.

It needs atheris (``pip install atheris``) and says nothing until it finds something; then it writes
what it was to ``crash-…`` and ends. ``-max_total_time=120`` ends it after two minutes.
"""

import importlib
import sys
import tempfile
from pathlib import Path

from tests.fuzz import sources
from tests.fuzz.guard import refused_in_one_line

TESTS = {
    "models": "test_models.test_a_changed_model_is_refused_in_one_line_or_works",
    "stores": "test_stores.test_a_changed_store_is_refused_in_one_line_or_works",
    "preparations": "test_stores.test_a_preparation_goes_on_or_is_refused_in_one_line",
    "texts": "test_readers.test_a_changed_file_of_texts",
    "folders": "test_readers.test_a_file_of_texts_in_a_folder",
    "counts": "test_readers.test_a_changed_file_of_counts",
    "runs": "test_runs.test_a_changed_run",
}
"""Tests whose examples the fuzzer chooses."""


def whole_file(name):
    """A target that takes the fuzzer's bytes for a file of that name."""
    from topicfactors import read_corpus
    from topicfactors.corpus.count_readers import is_counts, read_counts

    path = Path(tempfile.mkdtemp(prefix="fuzz")) / name
    read = read_counts if is_counts(name) else read_corpus

    def target(data):
        path.write_bytes(data)
        with refused_in_one_line():
            read(path)

    return target


def target_of(name):
    """What the fuzzer calls with its bytes."""
    if name not in TESTS:
        return whole_file(name)
    module, test = TESTS[name].split(".")
    return getattr(importlib.import_module(f"tests.fuzz.{module}"), test).hypothesis.fuzz_one_input


def seeds(name):
    """A folder of a good file to begin with."""
    folder = Path(tempfile.mkdtemp(prefix="seeds"))
    known = sources.texts() | sources.counts()
    if name in known:
        (folder / "good").write_bytes(known[name])
    return str(folder)


def main():
    import atheris

    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["topicfactors", "tarfile", "csv", "zipfile"]):
        import topicfactors
        import topicfactors.corpus.count_readers
        import topicfactors.corpus.store
        import topicfactors.storage  # noqa: F401
    target = target_of(name)
    atheris.Setup([sys.argv[0], *options, seeds(name)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
