"""Checks before Ray starts: addresses, numbers of workers; and its messages, shortened."""

import os
import socket
from pathlib import Path

import pytest

from hebbevo.errors import SearchError
from hebbevo.execution import ray_setup


@pytest.mark.parametrize("workers", [0, -1, 9, 1000])
def test_a_machine_carries_a_few_workers_per_core(workers: int) -> None:
    ray_setup.check_local_workers(8, cores=2)
    with pytest.raises(SearchError, match=str(workers)) as refusal:
        ray_setup.check_local_workers(workers, cores=2)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("somewhere", "is no address"),
        ("host:port", "is no address"),
        ("host:99999", "is no address"),
        ("ray://host:10001", "Ray Client"),
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("no-such-host.invalid:6379", "no Ray cluster answers"),
    ],
)
def test_an_address_that_is_none_or_does_not_answer_is_refused_in_one_line(
    address: str, message: str
) -> None:
    with pytest.raises(SearchError, match=message) as refusal:
        ray_setup.check_cluster(address)
    assert "\n" not in str(refusal.value)


def test_something_that_accepts_but_never_speaks_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_setup, "HEALTH_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SearchError, match=f"no Ray cluster answers at {address}"):
            ray_setup.check_cluster(address)


def test_a_local_ray_gets_a_token_unless_the_user_has_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ray_setup, "Path", _Home(tmp_path))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "mine")
    ray_setup.give_token()
    assert os.environ["RAY_AUTH_TOKEN"] == "mine"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "")
    ray_setup.give_token()
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    monkeypatch.setenv("RAY_AUTH_TOKEN", "")
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("at home")
    ray_setup.give_token()
    assert os.environ["RAY_AUTH_TOKEN"] == ""


class _Home:
    def __init__(self, path: Path) -> None:
        self._path = path

    def home(self) -> Path:
        return self._path


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            "The actor died unexpectedly before finishing this task.\n\tpid: 7\nThe actor is dead because its worker "
            "process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a "
            "connection error code 2. End of file. Some common causes include: (1) the OOM killer",
            "its process died: killed, crashed or out of memory",
        ),
        ("The actor died because its node has died. Node Id: 12", "its node died"),
        (
            "Task was killed due to the node running low on memory.",
            "out of memory: ended by Ray's memory monitor",
        ),
        ("Worker exit type: X Worker exit detail: it was tired. And so on.", "it was tired"),
        ("one\ntwo\n", "two"),
        ("", "no message"),
    ],
)
def test_causes_are_short(message: str, cause: str) -> None:
    assert ray_setup.cause_of(message) == cause
