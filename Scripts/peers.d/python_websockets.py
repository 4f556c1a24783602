# Python's `websockets` on uvloop: python_websockets.py PORT plain|compress [CERTIFICATE KEY]
# broadcast() frames a message per receiver. The endpoints are those of `ringcast serve`.
import collections
import ssl
import sys
import urllib.parse

import uvloop
from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

groups = collections.defaultdict(set)


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def take_part(socket, group, prefix="", subscribes=True, hears_itself=False):
    members = groups[group]
    if subscribes:
        members.add(socket)
    try:
        async for message in socket:
            if prefix and isinstance(message, str):
                message = prefix + message
            broadcast(members if hears_itself or not subscribes else members - {socket}, message)
    finally:
        members.discard(socket)


async def serve_socket(socket):
    url = urllib.parse.urlsplit(socket.request.path)
    kind, _, topic = url.path[1:].partition("/")
    try:
        if kind == "echo":
            await echo(socket)
        elif kind == "chat":
            name = urllib.parse.parse_qs(url.query).get("name", [""])[0]
            await take_part(socket, "chat", f"{name}: " if name else "", hears_itself=True)
        elif kind in ("topic", "publish"):
            await take_part(socket, f"topic/{topic}", subscribes=kind == "topic")
        else:
            await socket.close(1008, "there is nothing here")
    except ConnectionClosed:
        pass


async def main():
    port, mode, *files = sys.argv[1:]
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    deflate = [ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)]
    server = await serve(serve_socket, "127.0.0.1", int(port), ssl=context, compression=None, max_size=16 << 20,
                         extensions=deflate if mode == "compress" else None, ping_interval=None)
    await server.serve_forever()


uvloop.run(main())
