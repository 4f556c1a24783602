"""Planted bugs: the lists in Scripts/mutants.d, and the copy of the sources that has all of them, each behind a switch.

A list is blocks of lines, separated by empty ones:

    bug NAME
        What a user would suffer, in a sentence.
    file PATH
    in TEXT            where the old text stands more than once: it is the first one from this text on, which stands there once
    statement          the texts are statements; else they are expressions
    instead            the new text takes the place of the old one as it is
    - OLD TEXT         each line of it, however it is indented
    + NEW TEXT         none: the statements are left out
    test MODULE.SUITE/BEGINNING OF A TEST'S NAME
                       has to notice it; without a name any test of the suite; several lines: any of them
    limit SECONDS      for the tests of this bug, where a minute is not enough
    survives WHY       no test can notice it
    invariant TEXT     what has to hold: the simulation finds the bug, too (Scripts/simulate --planted; with --cluster those
                       of cluster.bugs)

New text that says BUG takes the place of the old one, too, with the switch (a Bool) for the word; else both stand there, and the
switch chooses. A bug may change several places: it then has several pairs of texts, and lines `file` and `in` before them.
"""
import pathlib
import re
import shutil
import sys
import zlib

SWITCH = "RINGCAST_PLANTED_BUG"
# What a package is built from.
PARTS = ["Package.swift", "Package.resolved", "Sources", "Tests", "Benchmarks", "Examples", "Scripts", "README.md"]
HELPER = f"""
/// Whether the bug with this key is planted in this process.
private func plantedBug(_ key: Int) -> Bool {{ plantedKey == key }}

private let plantedKey: Int = {{
    guard let text = unsafe getenv("{SWITCH}") else {{ return 0 }}
    return unsafe atol(text)
}}()
"""


class Change:
    """One place of one file."""

    def __init__(self, file, context, kind):
        self.file, self.context, self.kind = file, context, kind
        self.old, self.new = [], []

    def pattern(self):
        return re.compile(r"\n[ \t]*".join(re.escape(line.strip()) for line in self.old))

    def replacement(self, old, key):
        new, switch = "\n".join(self.new), f"plantedBug({key})"
        if self.kind == "instead" or re.search(r"\bBUG\b", new):
            return re.sub(r"\bBUG\b", lambda _: switch, new)
        if self.kind == "expression":
            return f"({switch} ? ({new}) : ({old}))"
        return f"if {switch} {{ {new} }} else {{ {old} }}" if new else f"if !{switch} {{ {old} }}"

    def place(self, text):
        """Where the old text stands; a sentence if that is not one place."""
        start = 0
        if self.context:
            if text.count(self.context) != 1:
                return f"'{self.context}' stands {text.count(self.context)} times in {self.file}"
            start = text.index(self.context)
        found = list(self.pattern().finditer(text, start))
        if not found or not self.context and len(found) > 1:
            return f"'{self.old[0]}' stands {len(found)} times in {self.file}"
        return found[0].span()


class Bug:
    def __init__(self, number, name, list_name):
        self.number, self.name, self.list, self.sentence = number, name, list_name, ""
        # What the switch compares: it stays the same when the lists change, so that nothing is built anew for that.
        self.key = zlib.crc32(name.encode())
        self.changes, self.tests, self.limit, self.argument, self.invariant = [], [], 60, "", ""
        # Whether only a race shows it.
        self.needs_race = False

    def filters(self):
        """Patterns of the tests' names, as `--filter` takes them."""
        def pattern(test):
            suite, _, name = test.partition("/")
            escaped = re.sub(r"([][\\.()?*+{}|^$])", r"\\\1", name)
            return "^" + suite.replace(".", "[.]") + "/" + ("`?" + escaped if name else "")
        return [pattern(test) for test in self.tests]


def read_lists(paths):
    """All bugs of the lists, numbered from 1 on."""
    bugs = []
    for path in paths:
        file = context = None
        kind = "expression"
        last = None
        for place, line in enumerate(path.read_text().splitlines(), 1):
            key, _, value = line.strip().partition(" ")
            if not key or line.startswith("#"):
                continue
            bug = bugs[-1] if bugs else None
            if line[0] == " ":  # goes on with the line above
                if last == "bug":
                    bug.sentence = f"{bug.sentence} {line.strip()}".strip()
                elif last == "survives":
                    bug.argument += " " + line.strip()
                else:
                    sys.exit(f"{path}:{place}: nothing goes on here")
                continue
            if key == "bug":
                bugs.append(Bug(len(bugs) + 1, value, path.stem))
                bugs[-1].needs_race = path.stem == "ordering"
                file, context, kind = None, None, "expression"
            elif key == "file":
                file, context, kind = value, None, "expression"
            elif key == "in":
                context = value
            elif key in ("statement", "instead"):
                kind = key
            elif key == "-":
                if last != "-":
                    bug.changes.append(Change(file, context, kind))
                    context = None
                bug.changes[-1].old.append(value.strip())
            elif key == "+":
                bug.changes[-1].new.append(value.strip())
            elif key == "test":
                bug.tests.append(value)
            elif key == "limit":
                bug.limit = int(value)
            elif key == "survives":
                bug.argument = value
            elif key == "invariant":
                bug.invariant = value
            else:
                sys.exit(f"{path}:{place}: no such word: {key}")
            last = key
    check(bugs)
    return bugs


def check(bugs):
    for bug in bugs:
        if not (bug.sentence and (bug.tests or bug.invariant) and bug.changes and all(change.file for change in bug.changes)):
            sys.exit(f"{bug.name}: a bug has a sentence, a file, a change, and a test or an invariant")
    keys = [bug.key for bug in bugs]
    for bug in bugs:
        if keys.count(bug.key) > 1:
            sys.exit(f"two bugs are called {bug.name}, or need another name")


def planted_text(file, text, bugs):
    """The text of a file with all its bugs in it, each behind its switch."""
    places = []
    for bug in bugs:
        for change in (change for change in bug.changes if change.file == file):
            span = change.place(text)
            if isinstance(span, str):
                sys.exit(f"{bug.name}: {span}: the list is to follow the code")
            places.append((span, bug, change))
    places.sort(key=lambda place: place[0])
    for (before, first, _), (after, second, _) in zip(places, places[1:]):
        if after[0] < before[1]:
            sys.exit(f"{first.name} and {second.name} change the same text")
    for (start, end), bug, change in reversed(places):
        text = text[:start] + change.replacement(text[start:end], bug.key) + text[end:]
    if not re.search(r"^(\w+ )?import Glibc$", text, re.MULTILINE):
        text = "internal import Glibc\n" + text
    return text + HELPER


def make_tree(root, tree, bugs):
    """Brings a copy of the sources with all bugs to `tree`. What is as it should be is not touched, so that little is built anew."""
    changed = {change.file for bug in bugs for change in bug.changes}
    wanted = {}
    for part in PARTS:
        paths = sorted((root / part).rglob("*")) if (root / part).is_dir() else [root / part]
        for path in (path for path in paths if path.is_file() and "__pycache__" not in path.parts):
            wanted[str(path.relative_to(root))] = path
    if missing := changed - wanted.keys():
        sys.exit(f"there is no {missing.pop()}")
    for name, path in wanted.items():
        content = path.read_bytes()
        if name in changed:
            content = planted_text(name, content.decode(), bugs).encode()
        copy = tree / name
        if not copy.exists() or copy.read_bytes() != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
    for part in PARTS:
        for path in (tree / part).rglob("*"):
            if path.is_file() and str(path.relative_to(tree)) not in wanted:
                path.unlink()


def lend_packages(root, scratch):
    """The packages that this one depends on are there already, as a rule: nothing needs to be fetched again."""
    for name in ["checkouts", "repositories", "workspace-state.json"]:
        source, copy = root / ".build" / name, scratch / name
        if not source.exists() or copy.exists():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, symlinks=True)
        else:
            shutil.copy(source, copy)


def lists(folder):
    return sorted(pathlib.Path(folder).glob("*.bugs"))
