"""One line for every mistake, and the right exit status."""

import subprocess
import sys

import pytest

import topicfactors

COMMANDS = ["fit", "topics", "transform", "export"]


def test_the_version(call):
    assert call("--version") == (0, f"topicfactors {topicfactors.__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands(call, flag):
    outcome = call(flag)
    assert outcome.status == 0
    assert all(command in outcome.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(call, command):
    outcome = call(command, "--help")
    assert outcome.status == 0
    assert "Example" in outcome.out


def test_no_arguments_show_the_help(call):
    outcome = call()
    assert outcome.status == 2
    assert "Commands" in outcome.out + outcome.err
    assert "topicfactors: " not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense' (see: topicfactors --help)"),
        (["--nonsense"], "No such option: --nonsense"),
        (["fit"], "Missing argument 'CORPUS' (see: topicfactors fit --help)"),
        (["fit", "lee", "--nonsense"], "No such option"),
        (["fit", "lee", "-k", "many"], "Invalid value for '--factors' / '-k'"),
        (["fit", "lee", "-k", "0"], "Invalid value for '--factors' / '-k'"),
        (["topics"], "Missing argument"),
        (["transform", "run"], "Missing argument"),
        (["export", "run"], "Missing argument"),
    ],
)
def test_usage_mistakes_are_one_line_and_status_2(refused, arguments, said):
    status, line = refused(*arguments)
    assert status == 2
    assert said in line


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_shows_the_traceback_wherever_it_stands(call, place):
    arguments = ["fit", "no/such/corpus"]
    arguments.insert(place, "--debug")
    outcome = call(*arguments)
    assert outcome.status == 2
    assert outcome.err.startswith("Traceback")
    assert "InputError: no/such/corpus: no such file or folder" in outcome.err


def test_the_module_runs_as_the_command_does():
    done = subprocess.run(
        [sys.executable, "-m", "topicfactors", "fit", "no/such/corpus"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("topicfactors: no/such/corpus: no such file or folder")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_failure(fitted, corpus):
    process = subprocess.Popen(
        [sys.executable, "-m", "topicfactors", "transform", fitted, corpus],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=120) == 0
    assert said == ""
