"""What the Python scripts share: a server to test, the packages they need, and checks that end in an honest exit code."""
import json
import os
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PRIVATE_PYTHON = ROOT / ".build" / "scripts-python"
REQUIREMENTS = ["websockets==15.0.1"]


def common(command):
    """Runs one of the functions of common.sh, which says itself what went wrong."""
    script = f'set -euo pipefail; . "{ROOT}/Scripts/lib/common.sh"; {command}'
    result = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(result.returncode)
    return result.stdout.strip()


def need_packages(*names):
    common("need_packages " + " ".join(names))


def use_private_python(folder=PRIVATE_PYTHON, requirements=REQUIREMENTS):
    """Starts the calling script again in a private environment that has the packages it imports from PyPI."""
    if pathlib.Path(sys.prefix) == folder:
        return
    stamp = folder / "requirements"
    if not stamp.exists() or stamp.read_text().split() != requirements:
        try:
            import ensurepip  # noqa: F401  (Debian has it in a package of its own)
        except ImportError:
            need_packages("python3-venv")
        print(f"installing {' '.join(requirements)} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        if subprocess.run([*pip, *requirements]).returncode != 0:
            sys.exit(f"{' '.join(requirements)} could not be installed from PyPI: pip says above why")
        stamp.write_text("\n".join(requirements))
    python = folder / "bin" / "python"
    os.execv(python, [python, "-u", *sys.argv])


def server_binary():
    """The release build of the server, built when necessary; $RINGCAST names one that is built already."""
    if "RINGCAST" not in os.environ:
        os.environ["RINGCAST"] = common('need_server; echo "$ringcast"')
    return os.environ["RINGCAST"]


def uring_is_switched_off():
    """Whether `RINGCAST_DISABLE` makes every server use epoll: then nobody refuses it rings."""
    return "io-uring" in os.environ.get("RINGCAST_DISABLE", "").split(",")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptor_limit():
    """Raises the soft limit on open files to the hard one and returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Server:
    """`ringcast serve` on a free port of the loopback interface, for the time of a `with` block."""

    def __init__(self, *options, loops=2, port=None, prefix=(), environment=None, host="127.0.0.1"):
        self.port = port or free_port()
        self.log = tempfile.TemporaryFile("w+")
        self.command = [*prefix, server_binary(), "serve", "--host", host, "--port", str(self.port),
                        "--loops", str(loops), "--no-pin", *options]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log, env=self.environment)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        self.process.wait()
        sys.exit(f"the server did not start: {self.errors() or self.process.returncode}")

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Asks it to end (SIGTERM) and returns its exit code; after ten seconds it is killed."""
        self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process.poll() is None

    def errors(self):
        """What it has written on standard error."""
        self.log.seek(0)
        return self.log.read().strip()

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}{path}"

    def statistics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=5) as response:
            return json.load(response)

    def sockets_per_loop(self):
        return per_loop(self.statistics()["sockets"])

    def resident_bytes(self, figure="VmRSS"):
        """`VmHWM` is the most there has been."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split(f"{figure}:")[1].split()[0]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        """User and system time of all threads, to the nanosecond."""
        threads = pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def total(self, *names):
        """A counter of /stats in all, by its path."""
        figure = self.statistics()
        for name in names:
            figure = figure[name]
        return figure["total"]


def per_loop(counter):
    """The values of one counter of /stats by loop."""
    return [loop if isinstance(loop, int) else loop["open"] for loop in counter["per_loop"]]


def upgrade_request(port, path="/echo", fields=()):
    return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + "".join(f"{field}\r\n" for field in fields) + "\r\n").encode()


def handshake(port, path="/echo", timeout=10, options=(), fields=()):
    """A plain blocking socket on which a WebSocket handshake is done: for thousands of connections at little cost.

    `options` are set before it connects: (level, name, value). `fields` are added to the request."""
    connection = socket.socket()
    connection.settimeout(timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option in options:
        connection.setsockopt(*option)
    connection.connect(("127.0.0.1", port))
    connection.sendall(upgrade_request(port, path, fields))
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError("closed during the handshake")
        head += piece
    if not head.startswith(b"HTTP/1.1 101 "):
        raise ConnectionError(head.splitlines()[0].decode(errors="replace"))
    return connection


class Checks:
    """Prints a sentence for every check, and remembers whether all of them held."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, holds, sentence, detail=""):
        if holds:
            self.passed += 1
            print(f"  ok      {sentence}", flush=True)
        else:
            self.failed += 1
            print(f"  FAILED  {sentence}{f': {detail}' if detail != '' else ''}", flush=True)
        return bool(holds)

    def measure(self, holds, sentence):
        """A figure and its bound. In CI, where others use the machine too, it is printed and decides nothing."""
        if holds or not os.environ.get("CI"):
            return self.check(holds, f"measured: {sentence}")
        print(f"  missed  measured: {sentence}", flush=True)
        return False

    def skip(self, sentence):
        print(f"  skipped {sentence}", flush=True)

    def finish(self):
        sys.exit(1 if self.failed or not self.passed else 0)
