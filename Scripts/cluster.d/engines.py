"""The engines that a cluster can stand on, each as a process of its own that may be killed and started again."""
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import harness


class Engine:
    def __init__(self):
        self.port = harness.free_port()
        self.folder = tempfile.TemporaryDirectory()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self.folder.cleanup()

    def start(self):
        self.process = subprocess.Popen(
            self.command(), cwd=self.folder.name, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit(f"{self.name} did not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def url(self, port=None):
        return f"{self.scheme}://127.0.0.1:{port or self.port}"


class Redis(Engine):
    name, scheme, package, program = "Redis", "redis", "redis-server", "redis-server"

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

    def ask(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words))
            answer = connection.makefile("rb")
            return answer.read(int(answer.readline()[1:])).decode()

    def publishes(self):
        """How many it was asked for."""
        found = [line for line in self.ask("INFO", "commandstats").splitlines() if line.startswith("cmdstat_publish:")]
        return int(found[0].split("calls=")[1].split(",")[0]) if found else 0

    # A node that is subscribed to what it publishes is sent its own message by Redis, which knows no other way.
    own_deliveries = 1


class NATS(Engine):
    name, scheme, package, program = "NATS", "nats", "nats-server", "nats-server"
    own_deliveries = 0

    def __init__(self):
        super().__init__()
        self.monitor = harness.free_port()
        # Debian has it in /usr/sbin, which is not in everybody's path.
        self.program = shutil.which(self.program) or "/usr/sbin/nats-server"

    def command(self):
        return [self.program, "-a", "127.0.0.1", "-p", str(self.port), "-m", str(self.monitor)]

    def counts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/varz", timeout=5) as response:
            return json.load(response)

    def publishes(self):
        return self.counts()["in_msgs"]

    def deliveries(self):
        return self.counts()["out_msgs"]


ENGINES = {"redis": Redis, "nats": NATS}
