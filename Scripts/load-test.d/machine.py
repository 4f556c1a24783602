# What the machine is, whether it is quiet, and how busy its cores were meanwhile.
import os
import pathlib
import platform
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cores():
    """Seconds busy and stolen of each core since the machine started."""
    found = {}
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, _, _, irq, softirq, steal = (int(field) / TICKS for field in fields[:8])
            found[int(name[3:])] = (user + nice + system + irq + softirq + steal, steal)
    return found


class Watch:
    """How busy the cores were from its making on."""

    def __init__(self):
        self.started, self.before = time.monotonic(), cores()

    def shares(self):
        """{core: (busy, stolen)} as shares of the time."""
        seconds = max(1e-3, time.monotonic() - self.started)
        return {core: ((busy - self.before[core][0]) / seconds, (stolen - self.before[core][1]) / seconds)
                for core, (busy, stolen) in cores().items() if core in self.before}


def is_quiet(limit=0.08, seconds=0.25):
    watch = Watch()
    time.sleep(seconds)
    return all(busy < limit for busy, _ in watch.shares().values())


def wait_until_quiet(patience=60):
    """Waits until no core does much; False when that did not happen in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if is_quiet():
            return True
    return False


def load_average():
    return float(pathlib.Path("/proc/loadavg").read_text().split()[0])


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def facts():
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    return {
        "processor": processor(), "cores": os.cpu_count(), "memory_GiB": round(int(memory) / 1048576, 1),
        "kernel": platform.release(),
        "congestion_control": pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def use_cubic():
    """bbr paces even loopback: as root, the machine is set to cubic."""
    setting = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")
    if setting.read_text().strip() == "bbr" and os.access(setting, os.W_OK):
        setting.write_text("cubic")
        print("congestion control set to cubic")


def commit(root):
    answer = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return answer.stdout.strip() or "unknown"
