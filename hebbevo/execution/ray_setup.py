"""Checks before Ray starts or joins, without importing it; and its messages made short.

Ray itself takes minutes to say that nobody answers, and does not tell a wrong token from a dead cluster.
"""

import os
import re
import secrets
import socket
import subprocess
import sys
from pathlib import Path

from hebbevo.errors import SearchError

WORKERS_PER_CORE = 4  # more local workers than that only take memory from each other
CONNECT_SECONDS = 5.0
HEALTH_SECONDS = 30.0

_TOKEN_VARIABLES = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def thread_environment(threads: int) -> dict[str, str]:
    """Return the variables that pin BLAS, torch and numba to a number of threads."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads))


def check_local_workers(workers: int, cores: int) -> None:
    """Refuse more workers than a machine can carry.

    Raises:
        SearchError: none, or more than a few per core.
    """
    if workers < 1:
        raise SearchError(f"workers must be at least 1, got {workers}; 0 stays in this process")
    if workers > cores * WORKERS_PER_CORE:
        raise SearchError(
            f"workers={workers} is too many for the {cores} cores of this machine; use workers={cores}, or name a "
            "cluster with ray"
        )


def give_token() -> None:
    """Make up the token that a new local Ray asks for, unless the user has one: nothing is written at home."""
    chosen = any(os.environ.get(name) for name in _TOKEN_VARIABLES)
    if not chosen and not (Path.home() / ".ray" / "auth_token").is_file():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def check_cluster(address: str) -> None:
    """Ask a cluster for its health, with the token of this process.

    Raises:
        SearchError: nobody answers, the token is wrong, or the address is none.
    """
    if address != "auto":
        _connect(address)
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check"]
    command += [] if address == "auto" else ["--address", address]
    try:
        health = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=HEALTH_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise _silent(address) from None
    if health.returncode == 0:
        return
    output = health.stdout + health.stderr
    if "AuthenticationError" in output or "Unauthenticated" in output:
        raise SearchError(
            f"the Ray cluster at {address} refuses the authentication token; set RAY_AUTH_MODE=token and "
            "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's own (docs/cluster.md)"
        )
    if "Could not find any running Ray instance" in output:
        raise SearchError(
            "ray=auto: no Ray runs on this machine; `ray start` one here, name its address, or set only workers"
        )
    raise SearchError(f"the Ray cluster at {address} is not well: {last_line(output)}; see `ray status`")


def _connect(address: str) -> None:
    if "://" in address:
        raise SearchError(
            f"ray={address}: Ray Client addresses are not supported; name HOST:PORT on a node of the cluster, or "
            "submit a Ray job (scripts/ray_job.sh)"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise SearchError(f"ray={address!r} is no address; write auto or HOST:PORT, as 10.0.0.1:6379")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError:
        raise _silent(address) from None


def _silent(address: str) -> SearchError:
    return SearchError(
        f"no Ray cluster answers at {address}; check the address and that `ray start --head` runs there"
    )


def last_line(text: str) -> str:
    """Return the last line of a message that says something, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no message"


def cause_of(message: str) -> str:
    """Return in a few words why a worker is gone, from Ray's account of it."""
    text = " ".join(message.split())
    if re.search(r"OutOfMemory|running low on memory|memory pressure|memory usage threshold", text):
        return "out of memory: ended by Ray's memory monitor"
    if re.search(r"node (has )?(died|failed|was terminated)|NODE_DIED|[Nn]ode .{0,80}(is|was) dead", text):
        return "its node died"
    if "connection error code 2" in text:
        return "its process died: killed, crashed or out of memory"
    detail = re.search(r"Worker exit detail: (.+?)(\. |$)", text)
    return detail[1] if detail else last_line(message)


def original(error: BaseException) -> BaseException:
    """Return the exception that an item raised in its worker, with the worker's traceback as a note."""
    cause = getattr(error, "cause", None)
    if not isinstance(cause, Exception):
        return error
    cause.add_note(str(error))
    return cause
