"""The IDX files of MNIST and its like on servers: fetched whole, or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.data.idx import DatasetError
from engine.errors import N_, Text

Progress = Callable[[int, int, str], None]  # (bytes done, bytes in all or 0, file name)

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True)
class Remote:
    """Where the four files (compressed) can be had, and their official md5 in the order of `FILES`."""

    mirrors: tuple[str, ...]
    md5: tuple[str, str, str, str]


REMOTES = {
    "mnist": Remote(
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
    "fashion-mnist": Remote(
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    "kmnist": Remote(
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        (
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        ),
    ),
}


def download(name: str, folder: Path, progress: Progress | None = None) -> None:
    """Fetch the four files of `name`, one of `REMOTES`, into a folder; files that are there whole are kept.

    Every file is written under a temporary name, compared with its md5 and only then renamed: what is interrupted
    never counts as downloaded. The mirrors are tried in turn. `progress(done, total, file)` is called after every
    block, with total = 0 where the server does not say it.

    Raises `DatasetError` if no mirror delivers, with the last reason.
    """
    # pooch and requests cost a third of a second to import; most processes never download.
    import pooch
    import urllib3

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(
            "The cache folder {folder} could not be made: {reason}.",
            folder=str(folder),
            reason=error.strerror or str(error),
        ) from error
    pooch.get_logger().setLevel("WARNING")
    for stem, md5 in zip(FILES, REMOTES[name].md5, strict=True):
        file = stem + ".gz"
        for mirror in REMOTES[name].mirrors:
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
