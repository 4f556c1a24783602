# The workloads of the report.
import dataclasses
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    arguments: tuple
    # The figure that is compared, where it stands in the tool's JSON, its unit, and what a smaller one means.
    figure: str = "server_cpu_seconds_per_million"
    unit: str = "µs of server CPU per message"
    tls: bool = False
    compress: bool = False
    least_seconds: float = 0


def workload(name, title, arguments, **more):
    return Workload(name, title, tuple(arguments.split()), **more)


MEMORY = {"figure": "connections.resident_bytes_each", "unit": "resident bytes per connection"}
CONNECTIONS = {"unit": "µs of server CPU per connection"}

WORKLOADS = [
    workload("echo64", "echo, 64 connections, 20 B", "echo --connections 64 --size 20"),
    workload("echo64x16", "echo, 64 connections, 16 outstanding each, 20 B", "echo --connections 64 --depth 16 --size 20"),
    workload("echo1000", "echo, 1,000 connections, 20 B", "echo --connections 1000 --size 20"),
    workload("echo16k", "echo, 64 connections, 16 KiB", "echo --connections 64 --size 16384"),
    workload("echo-tls", "echo over TLS, 64 connections, 20 B", "echo --connections 64 --size 20", tls=True),
    workload("echo-deflate", "compressed echo, 64 connections, 2 KiB", "echo --connections 64 --size 2048 --text", compress=True),
    workload("chat32", "Bun's chat, 32 members", "chat --connections 32", least_seconds=2),
    workload("fan1", "fan-out, 1 → 1,000, one outstanding, 100 B", "fanout --subscribers 1000 --window 1 --size 100"),
    workload("fan16", "fan-out, 1 → 1,000, 16 outstanding, 100 B", "fanout --subscribers 1000 --window 16 --size 100"),
    workload("fan-deflate", "compressed fan-out, 1 → 1,000, 2 KiB",
             "fanout --subscribers 1000 --window 1 --size 2048 --text", compress=True),
    workload("slow", "fan-out, 1 → 200, a tenth does not read, 1 KiB",
             "slow --subscribers 200 --stalled 0.1 --window 4 --size 1024"),
    workload("churn", "connect, one echo, close", "churn --connections 32", **CONNECTIONS),
    workload("tls-handshakes", "connect, one echo, close, over TLS", "churn --connections 32", tls=True, **CONNECTIONS),
    workload("mixed", "users who come, think, and go", f"mixed --scenario {HERE / 'mixed.scenario'}"),
    workload("idle", "idle connections, 4,000", "idle --connections 4000", **MEMORY),
]

# Offered rates of the latency curves, messages per second over 64 echoing connections.
RATES = [2_000, 10_000, 25_000, 50_000, 75_000, 100_000]
QUICK_RATES = [5_000, 25_000, 75_000]
CONNECTION_COUNTS = [1_000, 4_000, 9_000]
QUICK_CONNECTION_COUNTS = [1_000, 4_000]


def value(result, path):
    for key in path.split("."):
        result = (result or {}).get(key)
    return result
