"""How Kopf is told to log in."""

import asyncio
import json
import time
from pathlib import Path

import kopf
import pytest

from sidecar_injector.handlers.lifecycle import LOGIN_PAUSE_SECONDS, login
from sidecar_injector.settings import Settings


def kubeconfig(directory: Path, token: str) -> Path:
    path = directory / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }
    path.write_text(json.dumps(content))
    return path


def test_each_login_reads_the_token_anew_and_looks_new_to_kopf(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "first")
    memo = kopf.Memo(settings=Settings(kubeconfig=str(path)))

    async def log_in_three_times() -> list[kopf.ConnectionInfo]:
        infos = [await login(memo=memo), await login(memo=memo)]
        kubeconfig(tmp_path, "second")
        return [*infos, await login(memo=memo)]

    started = time.monotonic()
    infos = asyncio.run(log_in_three_times())
    assert [info.token for info in infos] == ["first", "first", "second"]
    assert [info.scheme for info in infos] == ["Bearer"] * 3
    assert infos[0] != infos[1], "Kopf would give up"
    assert time.monotonic() - started >= 2 * LOGIN_PAUSE_SECONDS, "an API server that answers 401 must not be flooded"


def test_without_credentials_login_is_tried_again(tmp_path: Path) -> None:
    memo = kopf.Memo(settings=Settings(kubeconfig=str(tmp_path / "nowhere")))
    with pytest.raises(kopf.TemporaryError, match="nowhere does not exist"):
        asyncio.run(login(memo=memo))
