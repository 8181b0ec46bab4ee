"""A Postgres server of the tests' own: on a Unix socket in a temporary folder, as a user who is not root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = "/usr/lib/postgresql"

SYSTEM_USERS = ("postgres", "nobody")
"""Postgres refuses to run as root; as root the tests start it as one of these."""

ROLE = "lens"

OPTIONS = ("fsync=off", "listen_addresses=", "max_connections=60")
"""These tests kill our own server, never this one, so nothing has to be on the disk."""


def find_programs() -> Path | None:
    """The folder of Postgres's programs; None if it is not installed."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path(DEBIAN).glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def find_user() -> str | None:
    """The user to start it as; None for the present one."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in SYSTEM_USERS if name in known)


@contextmanager
def run_postgres(programs: Path) -> Iterator[str]:
    """Start a server; gives the beginning of its databases' addresses, to which `/NAME?host=...` is missing."""
    user = find_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user is not None:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)

    def run(name: str, *arguments: str) -> None:
        subprocess.run([programs / name, *arguments], check=True, user=user, capture_output=True, cwd=folder)  # noqa: S603  # our own arguments

    data = str(folder / "data")
    run("initdb", "--pgdata", data, "--username", ROLE, "--auth", "trust", "--no-sync", "--encoding", "UTF8")
    options = " ".join([f"-k {folder}", *(f"-c {option}" for option in OPTIONS)])
    run("pg_ctl", "start", "--pgdata", data, "--wait", "--log", str(folder / "log"), "--options", options)
    try:
        yield str(folder)
    finally:
        run("pg_ctl", "stop", "--pgdata", data, "--mode", "immediate", "--wait")
        shutil.rmtree(folder)
