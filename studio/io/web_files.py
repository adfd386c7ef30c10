"""Files that are given by a web address: fetched from public machines alone, and only so much of them.

An address is asked as Gradio asks it, through `safehttpx`: a name that leads into the studio's own network is refused,
at every redirect anew. What Gradio reads at once and without limit is written to disk here as it comes, up to one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

import httpx
import safehttpx
from gradio_client.utils import strip_invalid_filename_characters

MOST_REDIRECTS = 5
WAIT_S = 30.0
TOO_LARGE = "it is larger than {} MB"


async def download(url: str, folder: Path, most_bytes: int) -> Path:
    """Fetch what a web address leads to into a new folder inside `folder`; return the file.

    Raises:
        ValueError: the name leads to no public machine, the answer is none, or the file is larger than `most_bytes`.
        httpx.HTTPError: nobody answers.
    """
    for _ in range(MOST_REDIRECTS + 1):
        address = httpx.URL(url)
        transport = safehttpx.AsyncSecureTransport(await safehttpx.async_validate_url(address.host))
        async with (
            httpx.AsyncClient(transport=transport, timeout=WAIT_S) as client,
            client.stream("GET", address) as answer,
        ):
            if answer.has_redirect_location:
                url = str(address.join(answer.headers["Location"]))
                continue
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"the answer is {answer.status_code}")
            return await _write(answer, folder, PurePosixPath(address.path).name, most_bytes)
    raise ValueError("it leads on and on")


async def _write(answer: httpx.Response, folder: Path, name: str, most_bytes: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=folder)) / (strip_invalid_filename_characters(name) or "file")
    written = 0
    try:
        with path.open("wb") as file:
            async for chunk in answer.aiter_bytes():
                written += len(chunk)
                if written > most_bytes:
                    raise ValueError(TOO_LARGE.format(most_bytes // 2**20))
                file.write(chunk)
    except BaseException:
        path.unlink()
        path.parent.rmdir()
        raise
    return path
