"""Running simulated worlds in several processes, and finding planted bugs with them."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import planted

PART = 10_000


class Kind:
    """Worlds of one sort: the test that plays them, what it counts, and the words that ask for them."""

    def __init__(self, test, option, counts):
        self.test, self.command, self.counts = test, "Scripts/simulate" + option, ["worlds", *counts]
        self.sum = re.compile(", ".join(rf"(\d+) {name}" for name in self.counts).replace("worlds,", "worlds:").encode())

    def text(self, counts):
        return ", ".join(f"{count} {name}" for count, name in zip(counts, self.counts))


SERVERS = Kind(
    "SimulationTests/.?every world", "",
    ["faults", "turns", "publishes", "with histories", "resumes", "replays", "gaps"])
CLUSTERS = Kind(
    "ClusterSimulationTests/.?every cluster", " --cluster",
    ["faults", "turns", "publishes", "deliveries", "crossings", "disconnects", "gaps", "drops"])


def build(root, scratch, what=("--build-tests",)):
    """Builds the tests, optimized, and returns their program."""
    flags = ["-c", "release", "-Xswiftc", "-enable-testing", "--scratch-path", str(scratch)]
    if subprocess.run(["swift", "build", *what, *flags], cwd=root, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        sys.exit("the tests did not build")
    path = subprocess.run(
        ["swift", "build", "--show-bin-path", *flags], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return pathlib.Path(path.stdout.strip()) / "ringcastPackageTests.xctest"


class Process:
    """Worlds of one process: `sum` is what is done, `seed` the world it is in, `complaint` what went wrong there."""

    def __init__(self, kind, program, first, count, minutes=None, shrinks=True, environment=None):
        self.kind = kind
        self.sum, self.seed, self.complaint, self.cpu = [0] * len(kind.counts), first, None, 0.0
        self.lines, self.is_stopped = [], False
        settings = {
            # Sets and dictionaries in one order, so that a world repeats itself.
            "SWIFT_DETERMINISTIC_HASHING": "1", "SWIFT_BACKTRACE": "enable=no", "NO_COLOR": "1", "RINGCAST_SEEDS": str(count),
            "RINGCAST_SEED": str(first), "RINGCAST_SHRINKS": "yes" if shrinks else "no"}
        if minutes is not None:
            settings["RINGCAST_MINUTES"] = str(minutes)
        self.process = subprocess.Popen(
            [str(program), "--testing-library", "swift-testing", "--no-parallel", "--filter", kind.test],
            env=os.environ | settings | (environment or {}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

    def wait(self, said=lambda line: None):
        """Follows it to its end; what it says beside where it is goes to `said`."""
        for line in self.process.stdout:
            found = self.kind.sum.search(line)
            if line.startswith((b"world ", b"simulated ")) and found:
                self.sum = [int(count) for count in found.groups()]
                if line.startswith(b"world "):
                    self.seed = int(line.split()[1])
            elif line.startswith(b"broken: "):
                self.complaint = line.decode(errors="replace").removeprefix("broken: ").strip()
                said(self.complaint)
            elif b"of its" in line and b"steps are enough" in line:
                said(line.decode().strip())
            else:
                self.lines = [*self.lines[-20:], line.decode(errors="replace").rstrip()]
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        if self.process.returncode and not self.complaint and not self.is_stopped:
            # It trapped.
            why = next((line for line in self.lines if "Fatal error" in line or "error:" in line), f"status {self.process.returncode}")
            self.complaint = f"world {self.seed}: {why}: {self.kind.command} --seeds 1 --seed {self.seed}"
            said(self.complaint)
        if self.complaint:
            self.sum[0] += 1
        return self


class Run:
    """Many worlds in parts, some at a time; with a log every part is 10,000 worlds, and those that stand there are done."""

    def __init__(self, kind, program, first, count, end=None, log=None):
        self.kind, self.program, self.first, self.count, self.end, self.log = kind, program, first, count, end, log
        self.lock, self.since = threading.Lock(), time.monotonic()
        self.sum, self.cpu, self.complaints, self.running, self.parts = [0] * len(kind.counts), 0.0, 0, [], []

    def go(self, jobs):
        size = PART if self.log or jobs == 1 else max(1, min(PART, -(-self.count // (4 * jobs))))
        done = self.read_log()
        for start in range(self.first, self.first + self.count, size):
            part = (start, min(size, self.first + self.count - start))
            if part not in done:
                self.parts.append(part)
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(jobs)]
        for worker in workers:
            worker.start()
        last = time.monotonic()
        while any(worker.is_alive() for worker in workers):
            workers[0].join(0.2) if workers[0].is_alive() else time.sleep(0.2)
            if time.monotonic() - last >= 60:
                last = time.monotonic()
                self.say("so far")
        self.say(f"simulated, from seed {self.first} on")
        return 1 if self.complaints else 0

    def read_log(self):
        if not self.log or not pathlib.Path(self.log).exists():
            return set()
        found = re.findall(r"^seeds (\d+)-(\d+): .*?([\d.]+) CPU seconds$", pathlib.Path(self.log).read_text(), re.MULTILINE)
        return {(int(first), int(last) - int(first) + 1) for first, last, _ in found}

    def work(self):
        while True:
            with self.lock:
                if not self.parts or self.is_over():
                    return
                part = self.parts.pop(0)
            self.run_part(*part)

    def is_over(self):
        return self.complaints > 0 and not self.log or self.end is not None and time.monotonic() >= self.end

    def run_part(self, first, count):
        total, cpu, complaints, next_seed = [0] * len(self.kind.counts), 0.0, 0, first
        while next_seed < first + count and not self.is_over():
            minutes = None if self.end is None else max(0.0, self.end - time.monotonic()) / 60
            process = Process(self.kind, self.program, next_seed, first + count - next_seed, minutes, shrinks=not self.log)
            with self.lock:
                self.running.append(process)
            process.wait(self.note)
            with self.lock:
                self.running.remove(process)
                self.sum = [left + right for left, right in zip(self.sum, process.sum)]
                self.cpu += process.cpu
                if process.complaint:
                    self.complaints += 1
                    if not self.log:
                        self.stop()
            total = [left + right for left, right in zip(total, process.sum)]
            cpu += process.cpu
            complaints += process.complaint is not None
            next_seed += max(process.sum[0], 1)
        if self.log and next_seed >= first + count:
            self.note(f"seeds {first}-{first + count - 1}: {self.kind.text(total)}, {complaints} complaints, {cpu:.1f} CPU seconds", False)

    def stop(self):
        for process in self.running:
            process.is_stopped = True
            process.process.send_signal(signal.SIGKILL)

    def note(self, line, prints=True):
        with self.lock:
            if prints:
                print(line, flush=True)
            if self.log:
                with open(self.log, "a") as log:
                    log.write(line + "\n")

    def say(self, beginning):
        with self.lock:
            counts = [sum(column) for column in zip(self.sum, *(process.sum for process in self.running))]
            print(f"{beginning}: {self.kind.text(counts)}, {self.complaints} complaints, {time.monotonic() - self.since:.0f} s, "
                  f"{self.cpu:.0f} CPU seconds of those that have ended", flush=True)


HANG = 60


def find_planted(root, kind, names, seeds):
    """Says of each planted bug that these worlds are to find which one, from seed 1 on, finds it first."""
    every = planted.read_lists(planted.lists(root / "Scripts" / "mutants.d"))
    bugs = [bug for bug in every if bug.name in names] if names else [
        bug for bug in every if bug.invariant and (bug.list == "cluster") == (kind is CLUSTERS)]
    if missing := set(names) - {bug.name for bug in bugs}:
        sys.exit(f"no such bug: {missing.pop()}")
    tree = root / ".build-mutants" / "tree"
    planted.make_tree(root, tree, every)
    scratch = tree / ".build-optimized"
    planted.lend_packages(root, scratch)
    program = build(tree, scratch, ["--product", "ringcastPackageTests"])
    if complaint := search(kind, program, 0, 500).complaint:
        sys.exit(f"without a bug: {complaint}")
    print("| planted bug | what has to hold | first world | what it says |\n| --- | --- | --- | --- |", flush=True)
    unfound = 0
    for bug in bugs:
        process = search(kind, program, bug.key, seeds)
        unfound += process.complaint is None
        world = process.seed if process.complaint else f"none of {process.sum[0]}"
        said = re.sub(r"^world \d+: |: Scripts/simulate .*$", "", process.complaint or "")
        print(f"| {bug.name} | {bug.invariant} | {world} | {said[:100]} |", flush=True)
    return 1 if unfound else 0


def search(kind, program, key, seeds):
    """Runs worlds until one is broken; one that goes on for a minute hangs."""
    process = Process(kind, program, 1, seeds, shrinks=False, environment={planted.SWITCH: str(key)})
    watch = threading.Thread(target=end_if_hung, args=[process], daemon=True)
    watch.start()
    return process.wait()


def end_if_hung(process):
    seed, since = process.seed, time.monotonic()
    while process.process.returncode is None:
        time.sleep(0.5)
        if process.seed != seed:
            seed, since = process.seed, time.monotonic()
        elif time.monotonic() - since > HANG:
            process.complaint = "it does not end"
            process.process.kill()
            return
