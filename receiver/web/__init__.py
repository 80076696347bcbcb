"""HTTP out: metrics and health. Reads, never writes.

`conversation.py` is HTTP/1.1 without sockets (by h11), `server.py` the sockets around it with every bound, `pages.py`
what there is to read. A page that takes a body, or a server with TLS, needs nothing but a route.
"""

from receiver.web.conversation import Request, Response
from receiver.web.pages import pages
from receiver.web.server import Handler, WebServer

__all__ = ["Handler", "Request", "Response", "WebServer", "pages"]
