# Writes the report (Markdown) and its plots out of the figures of a run.
import dataclasses
import statistics

import matrix
import plots

WORKLOADS = {workload.name: workload for workload in matrix.WORKLOADS}


@dataclasses.dataclass
class Spread:
    median: float
    least: float
    most: float
    count: int
    noisy: int


def spread(runs, figure):
    """Of the quiet samples; of all, where none was quiet. None: there is nothing."""
    measured = [run for run in runs if "error" not in run and matrix.value(run, figure) is not None]
    quiet = [run for run in measured if not run.get("noisy")]
    values = [matrix.value(run, figure) for run in quiet or measured]
    if not values:
        return None
    return Spread(statistics.median(values), min(values), max(values), len(values), len(measured) - len(quiet))


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.01 else f"{value:.4f}"


def cell(runs, workload, ours):
    """The ratio to ours and the figure itself, or why there is none."""
    own = spread(runs, workload.figure)
    if own is None:
        errors = [run["error"] for run in runs if "error" in run]
        return "failed¹" if errors else ""
    mark = "\\*" if own.noisy and own.noisy == own.count else ""
    ratio = f"**×{own.median / ours.median:.2f}** " if ours and ours.median > 0 else ""
    return f"{ratio}{number(own.median)} ({number(own.least)}–{number(own.most)}){mark}"


def table(results):
    names = [name for name in results["versions"] if name != "ringcast"]
    lines = ["| workload | ringcast | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for key, samples in results["samples"].items():
        workload = WORKLOADS[key]
        ours = spread(samples.get("ringcast", []), workload.figure)
        own = cell(samples.get("ringcast", []), workload, None)
        cells = [cell(samples[name], workload, ours) if name in samples else "–" for name in names]
        lines.append(f"| {workload.title}: {workload.unit} | {own} | " + " | ".join(cells) + " |")
    return lines


def rates(results):
    names = list(results["versions"])
    lines = ["| workload | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for key, samples in results["samples"].items():
        if key == "idle":
            continue
        cells = []
        for name in names:
            rate = spread(samples.get(name, []), "deliveries_per_second")
            p99 = spread(samples.get(name, []), "latency_us.p99")
            # Nothing was timed where not one round of the chat came to its end.
            latency = f", {number(p99.median)} µs" if p99 and p99.median else ""
            cells.append(f"{number(rate.median)}/s{latency}" if rate else "–")
        lines.append(f"| {WORKLOADS[key].title} | " + " | ".join(cells) + " |")
    return lines


def troubles(results):
    lines = []
    for key, samples in results["samples"].items():
        for name, runs in samples.items():
            for error in sorted({run["error"] for run in runs if "error" in run}):
                lines.append(f"- {name}, {WORKLOADS[key].title}: {error}")
            for figure, words in (("lost", "messages lost"), ("errors", "errors"), ("out_of_order", "out of order")):
                most = max((matrix.value(run, figure) or 0 for run in runs if "error" not in run), default=0)
                if most:
                    lines.append(f"- {name}, {WORKLOADS[key].title}: {number(most)} {words} in a sample")
    return lines


def losses(results):
    """For each workload whose peers' medians are below ours, which and by how much."""
    sentences = []
    for key, samples in results["samples"].items():
        figure = WORKLOADS[key].figure
        ours = spread(samples.get("ringcast", []), figure)
        better = []
        for name, runs in samples.items():
            theirs = spread(runs, figure)
            if name == "ringcast" or not ours or not theirs or theirs.median >= ours.median:
                continue
            apart = "" if theirs.most < ours.least else ", the spreads overlap"
            better.append(f"{name} (×{theirs.median / ours.median:.2f}{apart})")
        if better:
            sentences.append(f"“{WORKLOADS[key].title}”: {', '.join(better)}.")
    return sentences


def added(points):
    """Connections, and the bytes of resident memory that they have added to the server."""
    return [(count, run["server"]["resident_bytes_after"] - run["server"]["resident_bytes_before"])
            for count, run in points if "error" not in run]


def growth(results):
    """Bytes for each connection between the fewest and the most, by server: without what a server takes once."""
    lines = []
    for name, points in results["memory"].items():
        grown = added(points)
        if len(grown) > 1:
            (few, least), (many, most) = grown[0], grown[-1]
            lines.append(f"| {name} | {number((most - least) / (many - few))} | {few:,} to {many:,} |")
    return ["| server | bytes each | connections |", "|---|---|---|", *lines]


def draw(results, folder):
    cpu = [(WORKLOADS[key].title, WORKLOADS[key].unit, rows(samples, WORKLOADS[key].figure))
           for key, samples in results["samples"].items() if key != "idle"]
    cpu = [group for group in cpu if group[2]]
    if cpu:
        plots.bars(folder / "cpu.svg", "Server CPU: median (bar and number), least to most (line); shorter is better", cpu)
    latency = [(figure, {name: kept_up(points, figure) for name, points in results["latency"].items() if kept_up(points, figure)})
               for figure in ("p50", "p99")]
    memory = {name: [(0, 0)] + [(count, grown / 1048576) for count, grown in added(points)]
              for name, points in results["memory"].items()}
    loops = {name.split()[0]: [(count, run["deliveries_per_second"]) for count, run in points if "error" not in run]
             for name, points in results["loops"].items()}
    if latency[0][1]:
        plots.curves(folder / "latency.svg", "Latency over offered rate: echo, 64 connections, from the intended time", latency,
                     "messages offered per second", "µs", logarithmic=True)
    if memory:
        plots.curves(folder / "memory.svg", "Memory added by idle connections", [("", memory)], "connections", "MiB")
    if any(loops.values()):
        plots.curves(folder / "loops.svg", "Throughput over loops", [("", loops)], "loops of the server", "messages per second")


def kept_up(points, figure):
    """Latencies by rate. Where a server did not keep up with the rate, they would only tell how long the run was."""
    return [(rate, run["latency_us"][figure]) for rate, run in points
            if "error" not in run and run["messages_per_second"] > 0.9 * rate]


def rows(samples, figure):
    found = []
    for name, runs in samples.items():
        value = spread(runs, figure)
        if value:
            found.append((name, value.median, value.least, value.most))
    return found


def write(results, folder):
    facts = results["machine"]
    where = losses(results)
    text = [
        "# Benchmarks", "",
        f"Measured on {facts['date']} at commit `{results['commit']}`: {facts['processor']}, {facts['cores']} cores, "
        f"{facts['memory_GiB']} GiB, Linux {facts['kernel']}, {facts['congestion_control']}. "
        f"{results['rounds']} rounds of {results['seconds']} s, in turn; {results.get('minutes', '?')} minutes in all.", "",
        "Every server has one thread, on core 0; the load runs on core 1. The load generator is our own, `ringcast load`, the same for "
        "all. What is compared is the server's CPU, user and system together, for each message that came to a client, so that a "
        "starved load generator does not decide. Peers are written as their libraries' documentation does it (`Scripts/peers.d`).",
        "", "## CPU per message", "", "```", results["command"], "```", "",
        "Medians (least–most). The bold ratio is the peer's figure over ours: above 1, the peer needs more. `–`: it cannot do that. "
        "`*`: no sample was free of noise.", "", *table(results), "", "![CPU per message, by server](cpu.svg)", "",
        "### Where we lose", "",
        ("Peers that needed less than we did. " + " ".join(where) if where else "In this run no peer needed less than we did.")
        + " What is known of the causes is in [performance.md](../performance.md#where-others-need-less).", "",
        "## Rates and latency of the same runs", "",
        "Closed loop: messages per second that came to clients, and p99. A server that is faster than the load's core shows the load's "
        "limit here.", "", *rates(results), ""]
    trouble = troubles(results)
    if trouble:
        text += ["## What went wrong", "", "¹ and others:", "", *trouble, ""]
    text += [
        "## Latency over offered rate", "",
        "Open loop: messages go on schedule, and latency counts from when they were to go. Rates that a server did not keep up are left "
        "out. One sample each:", "", "```",
        "ringcast load echo --connections 64 --rate RATE --url ws://127.0.0.1:PORT --json", "```", "",
        "![Latency over offered rate](latency.svg)", "", "## Memory over connections", "", "```",
        "ringcast load idle --connections N --url ws://127.0.0.1:PORT --server-pid PID --json", "```", "",
        "Resident memory of the server that idle connections add; the kernel's own share is not in it (`Scripts/million` has both). The "
        "table leaves out what a server takes once, its pools above all.", "", *growth(results), "",
        "![Memory added by idle connections](memory.svg)", "", "## Throughput over loops", "", "```",
        *[f"ringcast load {name} --url ws://127.0.0.1:PORT --json" for name in results["loops"]], "```", "",
        f"Server (`ringcast serve --loops N`) and load share all {facts['cores']} cores here, so that more loops take from the load "
        "what they give to the server; a machine with more cores tells more.", "",
        "![Throughput over loops](loops.svg)", "", "## Versions", "",
        "Over TLS all servers show the same certificate (P-256), and every handshake is a full one: who makes many compares TLS "
        "libraries first, and each server has the one that is named here.", "",
        *[f"- {name}: {version}" for name, version in results["versions"].items()], ""]
    (folder / "README.md").write_text("\n".join(text))
    draw(results, folder)
