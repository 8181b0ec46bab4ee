"""A server on this machine that answers huggingface_hub as the Hub's HTTP API does, as far as push and fetch ask it."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_a_token_for_tests"  # noqa: S105  # of the server below


@dataclass
class Repository:
    """One repository: its commits, each with all files, in their order."""

    is_private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def find(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """A commit by its hash, or the newest for `main`."""
        name = list(self.commits)[-1] if revision == "main" and self.commits else revision
        return (name, self.commits[name]) if name in self.commits else None

    def commit(self, files: dict[str, bytes]) -> str:
        """Add files on top of the newest commit."""
        _, earlier = self.find("main") or ("", {})
        name = hashlib.sha1(str(len(self.commits)).encode(), usedforsecurity=False).hexdigest()
        self.commits[name] = earlier | files
        return name


@dataclass
class FakeHub:
    """The server's repositories, and what it was asked."""

    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    validated: list[str] = field(default_factory=list)
    large_files: dict[str, bytes] = field(default_factory=dict)
    refuses_large_files: bool = False


def _choose_mode(path: str) -> dict[str, str | bool]:
    """Weights go the way of Git LFS, as on the Hub; everything else is in the commit itself."""
    return {"path": path, "uploadMode": "lfs" if path.endswith(".safetensors") else "regular", "shouldIgnore": False}


class Answers(BaseHTTPRequestHandler):
    """The answers; a subclass knows its hub."""

    hub: FakeHub

    def do_HEAD(self) -> None:
        self._resolve()

    def do_GET(self) -> None:
        if found := re.fullmatch(r"/api/models/([^/]+/[^/?]+)", self.path):
            if (repository := self.hub.repositories.get(found[1])) is None:
                self._send({"error": "not found"}, status=404, headers={"X-Error-Code": "RepoNotFound"})
                return
            self._send({"id": found[1], "private": repository.is_private, "sha": "0" * 40, "siblings": [], "tags": []})
        else:
            self._resolve()

    def do_POST(self) -> None:
        self.hub.asked.append(f"POST {self.path}")
        body = self._read()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" and self.path != "/api/validate-yaml":
            self._send({"error": "Invalid username or password."}, status=401)
        elif self.path == "/api/repos/create":
            self._create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self.hub.validated.append(json.loads(body)["content"])
            self._send({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            self._send({"files": [_choose_mode(file["path"]) for file in json.loads(body)["files"]]})
        elif self.path.endswith(".git/info/lfs/objects/batch"):
            self._send({"transfer": "basic", "objects": [self._offer(file) for file in json.loads(body)["objects"]]})
        else:
            self._commit(body)

    def do_PUT(self) -> None:
        self.hub.asked.append(f"PUT {self.path}")
        if self.hub.refuses_large_files:
            self._send({"error": "no room"}, status=403)
            return
        content = self._read_chunks() if "Content-Length" not in self.headers else self._read()
        self.hub.large_files[hashlib.sha256(content).hexdigest()] = content
        self._send({})

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _offer(self, file: dict[str, str | int]) -> dict[str, object]:
        return {**file, "actions": {"upload": {"href": f"{self.hub.address}/large/{file['oid']}"}}}

    def _create(self, wanted: dict[str, str | bool]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.hub.repositories:
            self._send({"error": "You already created it", "url": f"{self.hub.address}/{name}"}, status=409)
            return
        is_private = bool(wanted.get("private")) or wanted.get("visibility") == "private"
        self.hub.repositories[name] = Repository(is_private)
        self._send({"url": f"{self.hub.address}/{name}"})

    def _commit(self, body: bytes) -> None:
        name = self.path.removeprefix("/api/models/").removesuffix("/commit/main")
        files = {}
        for entry in map(json.loads, body.splitlines()):
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.large_files[value["oid"]]
        commit = self.hub.repositories[name].commit(files)
        self._send({"commitUrl": f"{self.hub.address}/{name}/commit/{commit}", "commitOid": commit})

    def _resolve(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        owner, name, _, revision, file = self.path.lstrip("/").split("/", 4)
        repository = self.hub.repositories.get(f"{owner}/{name}")
        found = None if repository is None else repository.find(revision)
        if found is None or file not in found[1]:
            code = "RepoNotFound" if repository is None else "RevisionNotFound" if found is None else "EntryNotFound"
            self._send({"error": "not found"}, status=404, headers={"X-Error-Code": code})
            return
        commit, files = found
        etag = hashlib.sha256(files[file]).hexdigest()
        self._send(files[file], headers={"ETag": f'"{etag}"', "X-Repo-Commit": commit})

    def _send(self, content: object, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def run_hub() -> Iterator[FakeHub]:
    """A running hub."""
    hub = FakeHub()
    handler = type("BoundAnswers", (Answers,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
