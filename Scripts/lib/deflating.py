"""Clients that speak permessage-deflate without a context (RFC 7692), for the proofs: audiences of compressed frames."""
import select
import struct
import time
import zlib

import audience
import harness

OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
TAIL = b"\0\0\xff\xff"


def deflate(message):
    """A message as a server without context sends it: small ones go through a compressor of 12 bits (`LoopCompression`)."""
    compressor = zlib.compressobj(wbits=-12, memLevel=5) if len(message) <= 3_834 else zlib.compressobj(wbits=-15)
    return (compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-len(TAIL)]


def inflate(payload):
    return zlib.decompressobj(wbits=-15).decompress(payload + TAIL)


def deflated_frame(message):
    """A compressed text frame of a server."""
    frame = audience.server_frame(deflate(message))
    return b"\xc1" + frame[1:]


def text_frame(message):
    return b"\x81" + audience.server_frame(message)[1:]


def client_frame(payload, first=0x81):
    """A frame of a client, of any length."""
    length = len(payload)
    head = (struct.pack("!BB", first, length | 0x80) if length < 126
            else struct.pack("!BBH", first, 126 | 0x80, length) if length < 1 << 16
            else struct.pack("!BBQ", first, 127 | 0x80, length))
    return head + b"\0\0\0\0" + payload


def connect(port, path, offer=OFFER):
    """A socket that has agreed on compression, or on none."""
    return harness.handshake(port, path, fields=[f"Sec-WebSocket-Extensions: {offer}"] if offer else [])


def json_text(number, size):
    """A text of about the same compressibility for every number: a quote with some noise."""
    quotes, seed = [], number * 2654435761 % (1 << 32)
    text = '{"number":%010d,"quotes":[' % number
    while len(text) + 80 < size:
        seed = (seed * 1664525 + 1013904223) % (1 << 32)
        quotes.append('{"symbol":"S%03d","bid":%d.%02d,"ask":%d.%02d}' % (
            seed % 500, seed >> 8 & 1023, seed >> 18 & 63, seed >> 12 & 1023, seed >> 22 & 63))
        text += quotes[-1] + ","
    return (text[:-1] + "]}").ljust(size).encode()


class TextPublisher:
    """Sends numbered JSON texts, uncompressed, to whoever publishes them."""

    def __init__(self, port, path, size, frame):
        self.connection = harness.handshake(port, path)
        self.size = size
        self.frame = frame
        self.published = 0

    def publish(self, count, listeners=None):
        texts = [json_text(self.published + index, self.size) for index in range(count)]
        if listeners:
            listeners.expect(b"".join(map(self.frame, texts)))
        self.published += count
        self.connection.sendall(b"".join(map(client_frame, texts)))

    def close(self):
        self.connection.close()


class CountingAudience:
    """Subscribers whose frames are counted, and those of one of them inflated: for servers whose deflate is another one."""

    def __init__(self, port, path, count, size):
        self.length = len(text_frame(bytes(size)))
        self.connections = [connect(port, path) for _ in range(count)]
        self.buffers = {connection.fileno(): bytearray() for connection in self.connections}
        self.by_descriptor = {connection.fileno(): connection for connection in self.connections}
        self.witness = self.connections[0].fileno()
        self.seen = []  # the witness's messages
        self.frames = 0
        self.compressed = 0
        self.missing = 0
        self.poll = select.epoll()
        for connection in self.connections:
            connection.setblocking(False)
            self.poll.register(connection, select.EPOLLIN)

    def expect(self, frames):
        """`frames` is what an audience without compression would get: only their number matters here."""
        self.missing += len(frames) // self.length * len(self.connections)

    def read_everything(self, seconds=20):
        deadline = time.monotonic() + seconds
        while self.missing > 0 and time.monotonic() < deadline:
            for descriptor, _ in self.poll.poll(0.1):
                self.read(descriptor)
        return self.missing == 0

    def read(self, descriptor):
        buffer = self.buffers[descriptor]
        buffer += self.by_descriptor[descriptor].recv(1 << 18)
        while len(buffer) >= 4:
            length, start = buffer[1], 2
            if length == 126:
                length, start = struct.unpack_from("!H", buffer, 2)[0], 4
            if len(buffer) < start + length:
                break
            if descriptor == self.witness:
                self.seen.append((buffer[0], bytes(buffer[start:start + length])))
            self.compressed += buffer[0] == 0xC1
            self.frames += 1
            self.missing -= 1
            del buffer[:start + length]

    def close(self):
        self.poll.close()
        for connection in self.connections:
            connection.close()
