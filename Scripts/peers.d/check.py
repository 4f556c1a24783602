# Whether the peers do what they are measured for: check.py PEERS NAME... (Scripts/peers check)
# Echo, chat with names, topics without the sender, publishing without subscribing; plain, over TLS, and compressed.
import asyncio
import os
import socket
import ssl
import subprocess
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

PEERS = sys.argv[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    def __init__(self, name, flags):
        self.port, self.flags = free_port(), flags
        command = [PEERS, "run", name, "--port", str(self.port), *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    async def listens(self):
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.05)
        raise RuntimeError("did not listen within 10 s")

    def connect(self, path):
        tls = None
        if "--tls" in self.flags:
            tls = ssl.create_default_context()
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        scheme = "wss" if tls else "ws"
        return connect(f"{scheme}://127.0.0.1:{self.port}{path}", ssl=tls, proxy=None, max_size=1 << 25,
                       compression="deflate" if "--compress" in self.flags else None)

    def stop(self):
        self.process.kill()
        self.process.wait()


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got[:60]!r} came, not {wanted[:60]!r}")


async def receives(client, wanted):
    same(await asyncio.wait_for(client.recv(), 5), wanted)


async def receives_nothing(client):
    try:
        message = await asyncio.wait_for(client.recv(), 0.1)
    except asyncio.TimeoutError:
        return
    raise AssertionError(f"{message[:60]!r} came, and nothing should have")


async def check_echo(peer):
    async with peer.connect("/echo") as client:
        if "--compress" in peer.flags:
            assert client.protocol.extensions, "permessage-deflate was not agreed on"
        # libwebsockets 4.1 ends at an empty message once compression is agreed on.
        for message in ("hello", "ü" * 3000, b"\0\1\2", b"x" * 100_000, *([] if "--compress" in peer.flags else [""])):
            await client.send(message)
            await receives(client, message)
        await client.send(["in ", "three ", "fragments"])
        await receives(client, "in three fragments")


async def check_chat(peer):
    async with peer.connect("/chat?name=Ann") as ann, peer.connect("/chat") as bob:
        await bob.send("ready")  # both are members once both have heard it
        await receives(bob, "ready")
        await receives(ann, "ready")
        for _ in range(3):
            await ann.send("hello" * 400)
            await receives(ann, "Ann: " + "hello" * 400)
            await receives(bob, "Ann: " + "hello" * 400)


async def check_topics(peer):
    async with peer.connect("/topic/a") as one, peer.connect("/topic/a") as two, peer.connect("/topic/b") as other, \
            peer.connect("/publish/a") as publisher:
        await asyncio.sleep(0.1)
        await one.send("from one")
        await receives(two, "from one")
        await publisher.send(b"binary")
        await receives(one, b"binary")
        await receives(two, b"binary")
        for client in (publisher, other):
            await receives_nothing(client)


async def check_refusal(peer):
    try:
        async with peer.connect("/nothing-here") as client:
            await client.wait_closed()
    except (InvalidHandshake, OSError, EOFError):
        pass


async def check(name, flags):
    peer = Peer(name, flags)
    try:
        await peer.listens()
        for part in (check_echo, check_chat, check_topics, check_refusal):
            try:
                await asyncio.wait_for(part(peer), 15)
            except Exception as error:
                raise RuntimeError(f"{part.__name__}: {type(error).__name__} {error}") from error
    finally:
        peer.stop()


def main():
    failed = False
    for name in sys.argv[2:]:
        for flags in ([], ["--tls"], ["--compress"]):
            if subprocess.run([PEERS, "can", name, *flags]).returncode:
                continue
            label = " ".join([name, *flags])
            try:
                asyncio.run(check(name, flags))
                print(f"{label}: as it should be", flush=True)
            except Exception as error:
                failed = True
                print(f"{label}: {error}", flush=True)
    sys.exit(1 if failed else 0)


os.environ.pop("SSLKEYLOGFILE", None)
main()
