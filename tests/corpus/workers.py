"""Work for other processes."""

import os
from pathlib import Path


def pid_of(folder: str, number: int) -> bytes:
    """Leave the number of the process in a folder; more than a pipe holds."""
    Path(folder, str(os.getpid())).touch()
    return bytes(1_000_000)
