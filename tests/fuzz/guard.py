"""What may happen when something from elsewhere is read, and nothing else."""

import contextlib
import os
import resource
import sys
import sysconfig
import tempfile
import warnings
from pathlib import Path

from topicfactors.errors import TopicFactorsError, TopicFactorsWarning

PACKAGE = Path(__file__).parents[2]
SYSTEM = {*map(os.path.realpath, sysconfig.get_paths().values()), os.path.realpath(sys.base_prefix)}
SYSTEM |= {str(PACKAGE / "topicfactors"), "/proc", "/dev", "/sys", "/usr", "/etc/mime.types"}
CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
CODE = {"pickle.find_class", "subprocess.Popen", "os.exec", "os.system", "socket.connect"}
LONGEST = 2_000  # characters of a message
ROOM = 1 << 30  # bytes that may be asked for beyond those that the process has
MOST = 200_000  # kilobytes that may be used beyond those
_happened: list[tuple[str, str]] | None = None


def _watch(event, args):
    if _happened is None:
        return
    if event == "open" and isinstance(args[0], str) and os.sep not in args[0]:
        return  # of a folder that is open
    if event in CODE:
        _happened.append((event, str(args)))
    elif (event == "open" or event in CHANGES) and isinstance(args[0], str | bytes | os.PathLike):
        _happened.append((event, os.path.realpath(os.fsdecode(args[0]))))


sys.addaudithook(_watch)


@contextlib.contextmanager
def inside(*folders):
    """Refuse files outside of some folders, code, and connections."""
    global _happened
    allowed = {*SYSTEM, *(os.path.realpath(folder) for folder in folders)}
    allowed.add(os.path.join(os.path.realpath(tempfile.gettempdir()), "tmp"))
    _happened, met = [], []
    try:
        yield
    finally:
        _happened, met = None, _happened
    for event, what in met:
        within = any(what == place or what.startswith(f"{place}/") for place in allowed)
        nameless = os.path.realpath(tempfile.gettempdir()) in (what, os.path.dirname(what))
        assert event not in CODE, (event, what)
        assert within or (event != "open" or nameless), (event, what)


@contextlib.contextmanager
def refused_in_one_line():
    """Let nothing out but what is ours, and that only in one line; warnings are ours too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", TopicFactorsWarning)
            yield
    except TopicFactorsError as error:
        message = str(error)
        assert message.strip()
        assert len(message.splitlines()) == 1, message
        assert len(message) < LONGEST, message


@contextlib.contextmanager
def little_memory(most=MOST):
    """Refuse much more memory than there is already, asked for or used."""
    if not Path("/proc/self/clear_refs").exists():
        yield
        return
    before, (soft, hard) = _status("VmSize"), resource.getrlimit(resource.RLIMIT_AS)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    used = _status("VmRSS")
    resource.setrlimit(resource.RLIMIT_AS, (before * 1024 + ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert _status("VmHWM") - used < most


@contextlib.contextmanager
def guarded(*folders):
    """All of these at once."""
    with little_memory(), inside(*folders), refused_in_one_line():
        yield


def _status(name):
    """Kilobytes that the system reports of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)
