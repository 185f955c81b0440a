"""Binary images as documents of present words: digits, and the standard files of the field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.io
import scipy.sparse
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Bits = NDArray[np.uint8]
SPLIT_SEED = 0
VALIDATION, TEST = 200, 400  # of the 1,797 digits
OMNIGLOT_VALIDATION = 1345


class Images(NamedTuple):
    """Binary images ``(N, pixels)`` of a fixed split."""

    name: str
    train: Bits
    validation: Bits
    test: Bits
    published: float | None = None  # nats a test image, Rolfe (2017)
    note: str = ""


def as_counts(images: Bits) -> scipy.sparse.csr_matrix:
    """A word for every pixel, there where it is on."""
    return scipy.sparse.csr_matrix(images.astype(np.float32))


def digits() -> Images:
    """scikit-learn's bundled digits, 8 x 8, on from 8 of 16."""
    bits = (load_digits().data >= 8).astype(np.uint8)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(bits))
    test, validation, train = np.split(bits[order], [TEST, TEST + VALIDATION])
    return Images("digits", train, validation, test, note="8 x 8, on from 8 of 16")


def mnist(folder: Path) -> Images:
    """The static binarised MNIST of Larochelle and Murray (2011): binarized_mnist_*.amat."""
    parts = (_amat(folder / f"binarized_mnist_{part}.amat") for part in ("train", "valid", "test"))
    return Images("MNIST", *parts, published=-80.04, note="static binarisation")


def omniglot(folder: Path) -> Images:
    """chardata.mat of Burda, Grosse and Salakhutdinov (2016), drawn once as the shades say."""
    found = scipy.io.loadmat(folder / "chardata.mat")
    generator = np.random.default_rng(SPLIT_SEED)
    train, test = (
        (generator.random(found[name].T.shape) < found[name].T).astype(np.uint8)
        for name in ("data", "testdata")
    )
    rest = len(train) - OMNIGLOT_VALIDATION
    return Images("OMNIGLOT", train[:rest], train[rest:], test, -97.43, "drawn once")


def silhouettes(folder: Path) -> Images:
    """caltech101_silhouettes_28_split1.mat of Marlin, Swersky, Chen and de Freitas (2010)."""
    found = scipy.io.loadmat(folder / "caltech101_silhouettes_28_split1.mat")
    parts = (found[f"{name}_data"].astype(np.uint8) for name in ("train", "val", "test"))
    return Images("Caltech-101 silhouettes", *parts, published=-97.6, note="28 x 28, split 1")


FILES: dict[str, tuple[str, Callable[[Path], Images]]] = {
    "mnist": ("binarized_mnist_train.amat", mnist),
    "omniglot": ("chardata.mat", omniglot),
    "silhouettes": ("caltech101_silhouettes_28_split1.mat", silhouettes),
}


def there(folder: Path | None) -> list[Images]:
    """The digits, and what a folder has of the others."""
    found = [digits()]
    for file, read in FILES.values() if folder is not None else ():
        if (folder / file).exists():
            found.append(read(folder))
    return found


def _amat(path: Path) -> Bits:
    """Lines of 784 zeros and ones with blanks between."""
    signs = np.frombuffer(path.read_bytes(), np.uint8)
    bits = signs[(signs == ord("0")) | (signs == ord("1"))] - ord("0")
    if len(bits) % 784:
        raise SystemExit(f"{path}: {len(bits)} zeros and ones, which is no multiple of 784")
    return bits.reshape(-1, 784)
