"""What both directions of the suite share: where it is installed, a report folder, the list of cases."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
HOME = pathlib.Path(os.environ.get("AUTOBAHN_HOME") or HERE.parent.parent / ".autobahn")
WSTEST = HOME / "wstest"


def argument_parser(description):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exclude", default="", metavar="CASES")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for the whole run (default 3600)")
    return parser


def make_report_folder(path):
    """An empty folder for a report. An earlier report is removed, so that two runs are never mixed."""
    if not WSTEST.exists():
        sys.exit(f"{WSTEST} is missing: run {HERE / 'install'}")
    path = path.resolve()
    if path.exists():
        earlier = (path / "wstest.log").exists() or not any(path.iterdir())
        if not earlier:
            sys.exit(f"{path} is not empty and not an earlier report")
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


def write_specification(folder, mode, cases, exclude, **more):
    patterns = [[part.strip() for part in text.split(",") if part.strip()] for text in (cases, exclude)]
    path = folder / f"{mode}.json"
    path.write_text(json.dumps({
        "outdir": str(folder), "cases": patterns[0], "exclude-cases": patterns[1], "exclude-agent-cases": {}, **more,
    }, indent=1))
    return path


def summarize(folder):
    """Prints the table; 0 when every selected case has a good result."""
    return subprocess.run([sys.executable, HERE / "summarize", folder]).returncode


class Stopwatch:
    def __init__(self):
        self.start = time.monotonic()

    @property
    def seconds(self):
        return time.monotonic() - self.start
