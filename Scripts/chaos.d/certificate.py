"""The certificate is changed, time and again, under load: connections live on, and those that come later get the new one."""
import json
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import audience
import harness
from certificates import Authority
from scene import wait_for

OLD, CALLERS = 20, 3


class Connection:
    """A WebSocket over TLS, and the certificate that it was shown."""

    def __init__(self, port, authority):
        context = ssl.create_default_context(cafile=str(authority.certificate))
        plain = socket.create_connection(("127.0.0.1", port), 60)
        self.connection = context.wrap_socket(plain, server_hostname="localhost")
        self.certificate = self.connection.getpeercert(binary_form=True)
        self.connection.sendall(harness.upgrade_request(port))
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.connection.recv(4096)
            if not piece:
                raise ConnectionError("closed during the handshake")
            head += piece
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(head[:40])

    def echo(self, payload):
        self.connection.sendall(audience.client_frame(payload))
        expected, answer = audience.server_frame(payload), b""
        while len(answer) < len(expected):
            piece = self.connection.recv(1 << 16)
            if not piece:
                raise ConnectionError(f"closed after {len(answer)} bytes")
            answer += piece
        if answer != expected:
            raise ConnectionError("something else came back")

    def close(self):
        self.connection.close()


class Caller(threading.Thread):
    """Connects, echoes and hangs up, again and again."""

    def __init__(self, port, authority):
        super().__init__(daemon=True)
        self.port, self.authority, self.is_over = port, authority, False
        self.seen, self.failures = [], []  # (when it began, certificate)

    def run(self):
        while not self.is_over:
            began = time.monotonic()
            try:
                connection = Connection(self.port, self.authority)
                connection.echo(b"x" * 20_000)
                connection.close()
                self.seen.append((began, connection.certificate))
            except OSError as error:
                self.failures.append(repr(error))
            time.sleep(0.005)


def run(scene):
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        files = [authority.issue(name) for name in ("first", "second")]
        certificates = [ssl.PEM_cert_to_DER_cert(certificate.read_text()) for certificate, _ in files]
        chain, key = pathlib.Path(folder, "chain.pem"), pathlib.Path(folder, "chain.key")
        install(files[0], chain, key)
        with scene.server("--tls-cert", str(chain), "--tls-key", str(key)) as server:
            old = [Connection(server.port, authority) for _ in range(OLD)]
            callers = [Caller(server.port, authority) for _ in range(CALLERS)]
            load = start_load(server, scene.seconds)
            for caller in callers:
                caller.start()
            swaps, late = swap_until_over(scene, server, authority, files, certificates, (chain, key), old, load)
            for caller in callers:
                caller.is_over = True
            for caller in callers:
                caller.join(60)
            judge(scene, old, callers, swaps, late, certificates)
            judge_load(scene, load)


def install(files, chain, key):
    shutil.copy(files[0], chain)
    shutil.copy(files[1], key)


def start_load(server, seconds):
    return subprocess.Popen(
        [harness.server_binary(), "load", "echo", "--url", f"wss://127.0.0.1:{server.port}", "--insecure", "--connections", "32", "--size",
         "1000", "--rate", "500", "--loops", "1", "--no-pin", "--duration", str(max(4, seconds)), "--warmup", "0.5", "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def swap_until_over(scene, server, authority, files, certificates, names, old, load):
    """Changes back and forth for as long as the load lasts. The times at which a new connection had the new one, with its index, and whose
    change did not show."""
    swaps, late, current = [], 0, 0
    while load.poll() is None or len(swaps) < 2:
        current = 1 - current
        install(files[current], *names)
        server.process.send_signal(signal.SIGHUP)

        def shows():
            connection = Connection(server.port, authority)
            connection.close()
            return connection.certificate == certificates[current]

        late += not wait_for(shows)
        time.sleep(0.3)  # the loops take it over one by one
        since = time.monotonic()
        for connection in old:
            connection.echo(b"y" * 100_000 if connection is old[0] else b"still here")
        time.sleep(0.3)
        swaps.append((since, time.monotonic(), current))
    return swaps, late


def judge(scene, old, callers, swaps, late, certificates):
    seen = [one for caller in callers for one in caller.seen]
    failures = [failure for caller in callers for failure in caller.failures]
    between = [(began, certificate, current) for began, certificate in seen for since, until, current in swaps if since <= began < until - 0.05]
    wrong = sum(certificate != certificates[current] for _, certificate, current in between)
    scene.check(not failures and not late and not wrong and between,
                f"{len(swaps)} changes: {len(seen)} connections came, none failed, and the {len(between)} that began behind a change have "
                f"the new certificate", (failures[:3], late, wrong))
    first = all(connection.certificate == certificates[0] for connection in old)
    for connection in old:
        connection.echo(b"to the end")
        connection.close()
    scene.check(first, f"{len(old)} connections from before the first change echo after each and at the end")


def judge_load(scene, load):
    output, errors = load.communicate(timeout=60)
    result = json.loads(output) if load.returncode == 0 else None
    is_good = result and not any(result[key] for key in ("errors", "lost", "duplicated", "out_of_order"))
    scene.check(is_good, f"a load of {round(result['messages_per_second'] * result['seconds']) if result else 0:,} messages on 32 connections "
                         f"beside it lost none", errors or output)
