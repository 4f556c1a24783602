"""Prints how much of each module was gone through, and which bounds hold: coverage.py LCOV REPORT. Used by Scripts/coverage."""
import collections
import pathlib
import sys

# In percent of lines. The pure layers can be driven to any line by bytes alone; below the others are a kernel and a library that
# refuse what they are asked for only when they are broken.
BOUNDS = {"HTTPProtocol": 97, "PubSub": 97, "WebSocketProtocol": 97, "Reactor": 92, "Ringcast": 92}


def counts(path):
    """For each file below Sources, how often each of its lines was gone through."""
    files, lines = {}, None
    for line in open(path):
        if line.startswith("SF:"):
            parts = pathlib.Path(line[3:].strip()).parts
            lines = files.setdefault("/".join(parts[parts.index("Sources") + 1:]), {}) if "Sources" in parts else {}
        elif line.startswith("DA:"):
            number, count = line[3:].split(",")[:2]
            lines[int(number)] = max(int(count), lines.get(int(number), 0))
    return files


def ranges(numbers):
    """3-5 8 for 3, 4, 5, 8."""
    runs = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def main(lcov, report):
    modules = collections.defaultdict(lambda: [0, 0])
    with open(report, "w") as output:
        for name, lines in sorted(counts(lcov).items()):
            missed = [number for number, count in lines.items() if count == 0]
            module = modules[name.split("/")[0]]
            module[0] += len(lines) - len(missed)
            module[1] += len(lines)
            output.write(f"{name}: {len(missed)} of {len(lines)} missed{': ' if missed else ''}{ranges(missed)}\n")
    short = [name for name in BOUNDS if name not in modules]
    print(f"{'module':18} {'lines':>7} {'through':>9}   bound")
    for name, (covered, count) in sorted(modules.items()):
        share, bound = 100 * covered / count, BOUNDS.get(name)
        holds = bound is None or share >= bound
        if not holds:
            short.append(name)
        verdict = "" if bound is None else f"   {bound} %  {'holds' if holds else 'TOO LITTLE'}"
        print(f"{name:18} {count:7} {share:7.1f} %{verdict}")
    if short:
        sys.exit(f"too little is gone through: {', '.join(short)}; {report} has the lines")


if __name__ == "__main__":
    main(*sys.argv[1:])
