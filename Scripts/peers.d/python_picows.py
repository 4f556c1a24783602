# Python's `picows` on uvloop: python_picows.py PORT plain [CERTIFICATE KEY]
# The library frames a message per receiver; it has no topics and no compression. The endpoints are those of `ringcast serve`.
import collections
import ssl
import sys
import urllib.parse

import uvloop
from picows import WSListener, WSMsgType, ws_create_server

groups = collections.defaultdict(set)
DATA = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)


class Messages(WSListener):
    """Puts fragmented messages together and answers Close."""

    def __init__(self):
        self.parts = []
        self.kind = None

    def on_ws_frame(self, transport, frame):
        if frame.msg_type not in DATA:
            if frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code())
                transport.disconnect()
            return
        if frame.fin and not self.parts:
            self.received(transport, frame.msg_type, frame.get_payload_as_memoryview())
            return
        if not self.parts:
            self.kind = frame.msg_type
        self.parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            message, self.parts = b"".join(self.parts), []
            self.received(transport, self.kind, message)


class Echo(Messages):
    def received(self, transport, kind, message):
        transport.send(kind, message)


class Member(Messages):
    def __init__(self, group, prefix=b"", subscribes=True, hears_itself=False):
        super().__init__()
        self.members = groups[group]
        self.prefix, self.subscribes, self.hears_itself = prefix, subscribes, hears_itself

    def on_ws_connected(self, transport):
        if self.subscribes:
            self.members.add(transport)

    def on_ws_disconnected(self, transport):
        self.members.discard(transport)

    def received(self, transport, kind, message):
        if self.prefix and kind == WSMsgType.TEXT:
            message = self.prefix + bytes(message)
        for member in self.members:
            if member is not transport or self.hears_itself:
                member.send(kind, message)


def listener(request):
    url = urllib.parse.urlsplit(request.path.decode())
    kind, _, topic = url.path[1:].partition("/")
    if kind == "echo":
        return Echo()
    if kind == "chat":
        name = urllib.parse.parse_qs(url.query).get("name", [""])[0]
        return Member("chat", f"{name}: ".encode() if name else b"", hears_itself=True)
    if kind in ("topic", "publish"):
        return Member(f"topic/{topic}", subscribes=kind == "topic")
    return None


async def main():
    port, _, *files = sys.argv[1:]
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    server = await ws_create_server(listener, "127.0.0.1", int(port), ssl=context, max_frame_size=16 << 20)
    await server.serve_forever()


uvloop.run(main())
