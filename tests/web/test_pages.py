"""The pages: what they say, and to whom."""

from __future__ import annotations

from receiver.web import Request, Response, pages


def get(path: str, *, obstacles: tuple[str, ...] = (), accept: str = "text/plain") -> Response:
    routes = pages(lambda accept: (f"metrics for {accept}".encode(), "x/y"), lambda: obstacles)
    coroutine = routes[path](Request("GET", path, "", {"accept": accept}, b""))
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except StopIteration as done:
        response: Response = done.value
        return response
    raise AssertionError("a page waits for nothing")


def test_the_index_names_every_other_page() -> None:
    # Whoever opens the port in a browser learns what is there.
    routes = pages(lambda _: (b"", ""), list)
    index = get("/").body.decode()
    assert all(path in index for path in routes)


def test_metrics_are_in_the_form_asked_for() -> None:
    # Prometheus negotiates by Accept.
    assert get("/metrics", accept="some/thing") == Response(200, b"metrics for some/thing", "x/y")


def test_health_says_only_that_the_process_lives() -> None:
    # Restarting a receiver whose disk is full would help nobody.
    assert get("/healthz", obstacles=("disk full",)) == Response(200, b"ok\n")


def test_readiness_gives_its_reasons() -> None:
    # One a line.
    assert get("/readyz") == Response(200, b"ready\n")
    assert get("/readyz", obstacles=("store: disk full", "syslog-tcp: not listening")) == Response(
        503, b"store: disk full\nsyslog-tcp: not listening\n"
    )
