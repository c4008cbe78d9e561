"""The page of a lecture hall: with the network cut it loads and does everything, and asks nobody else for anything."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
from driver import finished, question, upload, wait, words

pytestmark = pytest.mark.browser


@pytest.fixture
def cut_off(monkeypatch) -> list[str]:
    """No name but this machine's is found, by the server either; those that were looked for."""
    asked: list[str] = []
    find = socket.getaddrinfo

    def local(host, *rest, **options):
        if host not in (None, "127.0.0.1", "localhost", b"127.0.0.1", b"localhost"):
            asked.append(str(host))
            raise socket.gaierror(f"cut off from {host}")
        return find(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    return asked


def test_with_the_network_cut_no_request_is_tried_in_vain(address, browser, cut_off, photo):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ko-KR")
    here, others, failed = [], [], []

    def guard(route) -> None:
        local = urlsplit(route.request.url).hostname == "127.0.0.1"
        (here if local else others).append(route.request.url)
        route.continue_() if local else route.abort()

    context.route("**/*", guard)
    context.route_web_socket(lambda url: urlsplit(url).hostname != "127.0.0.1", lambda ws: others.append(ws.url))
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("response", lambda response: response.status >= 400 and failed.append(response.url))
    page.goto(address)
    page.wait_for_selector(".sat")
    run = finished(page)
    upload(page, photo)
    run = finished(page, run)
    assert words(page)
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")
    page.locator(".sat-close").click()
    page.locator("body").press("f")
    page.wait_for_selector(".sat-equations [data-part=context]")
    page.locator("body").press("f")
    page.click("#about button")
    with page.expect_download():
        page.locator(".sat-takeaway [data-kind=html]").click()
    context.close()
    assert here
    assert others == []
    closed = ("/queue/data", "/upload_progress")  # streams, by the page itself
    assert [url for url in failed if not any(stream in url for stream in closed)] == []
    assert cut_off == []
