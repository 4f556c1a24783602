"""HAProxy with the configuration of docs/cluster in front of a cluster's nodes."""
import os
import shutil
import subprocess

import harness

CONFIGURATION = harness.ROOT / "docs" / "cluster" / "haproxy.cfg"


class Proxy:
    """Listens on `port` for the time of a `with` block."""

    def __init__(self, servers):
        self.port = harness.free_port()
        places = {f"NODE{number}": f"127.0.0.1:{server.port}" for number, server in enumerate(servers, 1)}
        self.environment = {**os.environ, **places, "LISTEN": f"127.0.0.1:{self.port}"}
        # Debian has it in /usr/sbin, which is not in everybody's path.
        self.program = shutil.which("haproxy") or "/usr/sbin/haproxy"

    def objection(self):
        """What HAProxy has against the configuration; nothing if it takes it."""
        judged = subprocess.run([self.program, "-c", "-f", CONFIGURATION], env=self.environment, capture_output=True, text=True)
        return judged.stderr.strip() if judged.returncode or "warning" in judged.stderr.lower() else ""

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.program, "-db", "-f", CONFIGURATION], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
