"""What asks whether a part of the stack is ready asks the part itself."""

import asyncio

import pytest
from aiohttp import web

from hubctl import probes
from tests.spokes.harness import http_server


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
async def test_a_part_on_loopback_is_asked_whatever_proxy_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "http://127.0.0.1:9")

    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.router.add_route("*", "/", answer)
    async with http_server(application) as url:
        assert await asyncio.to_thread(probes.http_answers, url)
        assert await asyncio.to_thread(probes.http_posts, url, {"a": "b"})
