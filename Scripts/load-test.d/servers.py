# Starts peers (Scripts/peers) and drives them with `ringcast load`: one sample each.
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = str(ROOT / "Scripts" / "peers")
SERVER_CORE, LOAD_CORE = "0", "1"
NOISE = 0.12


def ringcast():
    return os.environ.get("RINGCAST") or str(ROOT / ".build" / "release" / "ringcast")


def versions():
    """{name: version} of the peers that are set up."""
    lines = subprocess.run([PEERS, "list"], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    return {name: version for name, version, _ in rows if not version.startswith("not set up")}


def can(name, flags):
    return subprocess.run([PEERS, "can", name, *flags], capture_output=True).returncode == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A peer on the server's core, from `with` to its end."""

    def __init__(self, name, flags=(), core=SERVER_CORE, loops=1):
        self.port = free_port()
        command = [PEERS, "run", name, "--port", str(self.port), *flags]
        if core:
            command = ["taskset", "-c", core, *command]
        environment = {**os.environ, "RINGCAST_LOOPS": str(loops), "RINGCAST": ringcast()}
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        self.pid = self.process.pid  # Scripts/peers becomes the server

    def __enter__(self):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                time.sleep(0.15)
                return self
            except OSError:
                time.sleep(0.03)
        self.__exit__()
        raise RuntimeError("it did not listen")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def load_command(arguments, server, tls, core=LOAD_CORE):
    scheme = "wss" if tls else "ws"
    command = [ringcast(), "load", *arguments, "--url", f"{scheme}://127.0.0.1:{server.port}", "--server-pid",
               str(server.pid), "--json"]
    if tls:
        command.append("--insecure")
    return ["taskset", "-c", core, *command] if core else command


def sample(name, workload, seconds, warmup, patience):
    """One run: the tool's JSON, with "noisy" added, or {"error": …}."""
    flags = [flag for flag, wanted in (("--tls", workload.tls), ("--compress", workload.compress)) if wanted]
    arguments = [*workload.arguments, "--duration", str(seconds), "--warmup", str(warmup), "--loops", "1", "--no-pin"]
    if workload.compress:
        arguments.append("--compress")
    quiet = machine.wait_until_quiet(patience)
    try:
        with Server(name, flags) as server:
            watch = machine.Watch()
            result = run_load(load_command(arguments, server, workload.tls), seconds)
            if "error" not in result:
                result["noisy"] = not quiet or is_noisy(result, watch.shares())
                result["load_average"] = machine.load_average()
            return result
    except RuntimeError as error:
        return {"error": str(error)}


def run_load(command, seconds):
    """The tool's JSON, or {"error": …}."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60 + 3 * seconds)
    except subprocess.TimeoutExpired:
        return {"error": "no result in time"}
    if answer.returncode not in (0, 3) or not answer.stdout.startswith("{"):
        return {"error": (answer.stderr.strip() or f"exit code {answer.returncode}").splitlines()[-1][:200]}
    result = json.loads(answer.stdout)
    for key in ("machine", "versions"):
        result.pop(key, None)
    return result


def is_noisy(result, shares):
    """Whether others used, or the host took, more than 12 % of a core."""
    if any(stolen > NOISE for _, stolen in shares.values()):
        return True
    if result["workload"] == "idle":
        return False  # busy while it connects, and memory does not depend on who else is
    used = sum(result[side]["cpu_user_seconds"] + result[side]["cpu_system_seconds"] for side in ("server", "client")
               if side in result)
    # The tool tells its CPU of the measured seconds only; connecting and warming up are about as busy.
    busy = sum(busy for busy, _ in shares.values())
    own = used / max(0.1, result["seconds"])
    return busy > own * 1.1 + 2 * NOISE
