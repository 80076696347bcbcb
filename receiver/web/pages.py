"""What there is to read: `/metrics`, `/healthz`, `/readyz`, and a `/` that names them.

Knows how each is worded; is given what they say.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from receiver.web.conversation import Request, Response, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from receiver.web.server import Handler

_INDEX: Final = b"""\
audit-receiver

/metrics  for Prometheus
/healthz  the process is alive
/readyz   it receives and stores; if not, why not
"""


def pages(
    render_metrics: Callable[[str], tuple[bytes, str]],
    obstacles: Callable[[], Sequence[str]],
) -> dict[str, Handler]:
    """Make the routes.

    render_metrics: the Accept header → page and content type (`metrics.Exposition.render`).
    obstacles: why the receiver is not ready, one sentence each; nothing when it is.
    """

    async def index(_: Request) -> Response:
        return Response(HTTPStatus.OK, _INDEX)

    async def metrics(request: Request) -> Response:
        return Response(HTTPStatus.OK, *render_metrics(request.headers.get("accept", "")))

    async def healthz(_: Request) -> Response:
        return plain(HTTPStatus.OK, "ok")

    async def readyz(_: Request) -> Response:
        reasons = obstacles()
        if reasons:
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(reasons))
        return plain(HTTPStatus.OK, "ready")

    return {"/": index, "/metrics": metrics, "/healthz": healthz, "/readyz": readyz}
