"""A small Hugging Face Hub on the loopback interface, with faults to switch on.

It answers what huggingface_hub asks for when it downloads a file or lists a repository: HEAD and GET
`/{repo}/resolve/{revision}/{path}` with ranges, GET `/api/models/{repo}/revision/{revision}` and `/tree/{revision}`.

    with HubServer() as hub:
        commit = hub.add_repo("owner/name", {"model.bin": b"..."})
        hub.fault = Fault(cut_after_bytes=1000, times=1)
        ... # hub.url is the endpoint; hub.requests tells what was asked

A program of its own reaches it through the environment: `HF_ENDPOINT=hub.url`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import unquote

LFS_FROM_BYTES = 1024
BLOCK_BYTES = 64 * 1024


@dataclass
class Fault:
    """What goes wrong, from when it is set until it has happened `times` times (0: always).

    Attributes:
        status: answer with this error instead of the file.
        error_code: the Hub's own code with it: RepoNotFound, GatedRepo, RevisionNotFound or EntryNotFound.
        headers: more headers of that answer.
        methods: which requests the fault strikes.
        cut_after_bytes: close the connection after so many bytes of a body.
        corrupt: send a body of the right size and wrong content.
        foreign: answer 200 with a web page, as the login page of a network does.
    """

    status: int = 0
    error_code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = ("HEAD", "GET")
    cut_after_bytes: int | None = None
    corrupt: bool = False
    foreign: bool = False
    times: int = 0


@dataclass(frozen=True)
class Request:
    """What was asked: method, path, and headers by their names in small letters."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class _Repo:
    files: dict[str, bytes]
    commit: str
    tags: tuple[str, ...]
    token: str
    page: dict[str, object]
    history: tuple[str, ...] = ()


class HubServer:
    """The server; start() and stop() may be called again and again, the address stays.

    Attributes:
        fault: what goes wrong at present; None for nothing.
        gate: bodies are sent up to `gate_after_bytes` while it is not set; set at the start.
        gate_after_bytes: how much of a body passes a closed gate.
        cdn: large files are redirected to another host, as the real Hub does.
        requests: all requests since the start.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.gate_after_bytes = 0
        self.cdn = False
        self.requests: list[Request] = []
        self._repos: dict[str, _Repo] = {}
        self._lock = threading.Lock()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def cdn_url(self) -> str:
        """The same server under another host name, so that a client takes it for a stranger."""
        return f"http://localhost:{self._port}/cdn"

    def __enter__(self) -> HubServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; a body that waits at the gate is let go."""
        if self._server is None or self._thread is None:
            return
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def add_repo(
        self,
        repo_id: str,
        files: dict[str, bytes],
        *,
        tags: tuple[str, ...] = (),
        token: str = "",
        page: dict[str, object] | None = None,
        history: tuple[str, ...] = (),
    ) -> str:
        """Add or replace a repository; returns its commit, which follows from its content.

        Args:
            tags: names of this commit.
            token: if given, the repository is private: only requests with this token see it.
            page: what the API says of its page, such as `cardData` and `tags`.
            history: older commits of the main branch, which hold the same files.
        """
        hasher = hashlib.sha1(repo_id.encode())
        for path in sorted(files):
            hasher.update(path.encode() + files[path])
        self._repos[repo_id] = _Repo(dict(files), hasher.hexdigest(), tags, token, page or {}, history)
        return hasher.hexdigest()

    def count(self, method: str, path_part: str = "") -> int:
        """How many requests of this method had `path_part` in their path."""
        return sum(request.method == method and path_part in request.path for request in self.requests)

    def take_fault(self, method: str) -> Fault | None:
        """Return the fault that strikes a request of this method, counted down."""
        with self._lock:
            fault = self.fault
            if fault is None or method not in fault.methods:
                return None
            if fault.times == 1:
                self.fault = None
            elif fault.times > 1:
                fault.times -= 1
            return fault

    def find(self, path: str, token: str) -> tuple[_Repo | None, str, str]:
        """(repository, revision, file path) of a resolve address; the repository is None where it is not visible."""
        is_signed = path.startswith("/cdn/")  # an address of the CDN carries its own permission
        repo_id, _, rest = path.removeprefix("/cdn").lstrip("/").partition("/resolve/")
        revision, _, file_path = rest.partition("/")
        repo = self._repos.get(repo_id) if is_signed else self._visible(repo_id, token)
        return repo, revision, file_path

    def _visible(self, repo_id: str, token: str) -> _Repo | None:
        repo = self._repos.get(repo_id)
        return repo if repo is not None and repo.token in {"", token} else None

    def describe(self, path: str, token: str) -> object | None:
        """Return the JSON answer of an API address; None for 404."""
        repo_id, is_commits, _ = path.removeprefix("/api/models/").partition("/commits/")
        if is_commits:
            repo = self._visible(repo_id, token)
            when = {"title": "", "message": "", "date": "2026-01-01T00:00:00.000Z", "authors": []}
            return None if repo is None else [{"id": each, **when} for each in (repo.commit, *repo.history)]
        repo_id, _, rest = path.removeprefix("/api/models/").partition("/revision/")
        is_tree = not rest
        if is_tree:
            repo_id, _, rest = path.removeprefix("/api/models/").partition("/tree/")
        repo = self._visible(repo_id, token)
        if repo is None or rest.split("/")[0] not in {repo.commit, *repo.tags, *repo.history, "main"}:
            return None
        if is_tree:
            return [_tree_entry(name, content) for name, content in repo.files.items()]
        siblings = [{"rfilename": name} for name in repo.files]
        facts = {"id": repo_id, "sha": repo.commit, "siblings": siblings, "tags": [], "private": bool(repo.token)}
        return {**facts, **repo.page}


def _tree_entry(name: str, content: bytes) -> dict[str, object]:
    entry: dict[str, object] = {"type": "file", "path": name, "size": len(content), "oid": git_blob_id(content)}
    if len(content) >= LFS_FROM_BYTES:
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry


def git_blob_id(content: bytes) -> str:
    """Return the name that git gives to a file's content: SHA-1 over a short header and the content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def etag_of(content: bytes) -> str:
    """Return what the Hub announces: the SHA-256 of a large file (LFS), the git blob id of a small one."""
    return hashlib.sha256(content).hexdigest() if len(content) >= LFS_FROM_BYTES else git_blob_id(content)


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(self.path.partition("?")[0])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append(Request(self.command, path, headers))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        fault = self.hub.take_fault(self.command)
        if fault is not None and fault.status:
            self._fail(fault.status, fault.error_code, fault.headers)
        elif fault is not None and fault.foreign:
            self._send(200, {"Content-Type": "text/html"}, b"<html>Log in to this network</html>")
        elif path.startswith("/api/"):
            described = self.hub.describe(path, token)
            if described is None:
                self._fail(404, "RepoNotFound")
            else:
                self._send(200, {"Content-Type": "application/json"}, json.dumps(described).encode())
        else:
            self._resolve(path, token, headers.get("range", ""), fault or Fault())

    def _resolve(self, path: str, token: str, wanted: str, fault: Fault) -> None:
        repo, revision, file_path = self.hub.find(path, token)
        if repo is None:
            self._fail(404, "RepoNotFound")
        elif revision not in {repo.commit, *repo.tags, *repo.history, "main"}:
            self._fail(404, "RevisionNotFound")
        elif file_path not in repo.files:
            self._fail(404, "EntryNotFound", {"X-Repo-Commit": repo.commit})
        else:
            content = repo.files[file_path]
            headers = {"X-Repo-Commit": repo.commit, "ETag": f'"{etag_of(content)}"', "Accept-Ranges": "bytes"}
            if self.hub.cdn and not path.startswith("/cdn/") and len(content) >= LFS_FROM_BYTES:
                linked = {"X-Linked-Etag": headers.pop("ETag"), "X-Linked-Size": str(len(content))}
                self._send(302, {**headers, **linked, "Location": self.hub.cdn_url + path}, b"")
                return
            first = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
            if wanted:
                headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            if fault.corrupt:
                content = bytes(byte ^ 0xFF for byte in content[:64]) + content[64:]
            self._send(206 if wanted else 200, headers, content[first:], fault.cut_after_bytes)

    def _fail(self, status: int, error_code: str = "", headers: dict[str, str] | None = None) -> None:
        code = {"X-Error-Code": error_code} if error_code else {}
        self._send(status, {**code, **(headers or {})}, b"")

    def _send(self, status: int, headers: dict[str, str], body: bytes, cut_after_bytes: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            self._write(body if cut_after_bytes is None else body[:cut_after_bytes])
        except OSError:  # the client has left
            self.close_connection = True
        if cut_after_bytes is not None and cut_after_bytes < len(body):
            self.close_connection = True

    def _write(self, body: bytes) -> None:
        sent = 0
        while sent < len(body):
            if sent >= self.hub.gate_after_bytes:
                self.hub.gate.wait()
            block = body[sent : sent + BLOCK_BYTES]
            self.wfile.write(block)
            sent += len(block)
