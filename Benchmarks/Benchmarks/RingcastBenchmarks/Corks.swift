import Benchmark
import CorkSources

/// One turn of one connection: messages are queued and all of them taken by one operation, without the operation
/// itself. Times are per turn.
func corkBenchmarks() {
    for (count, size) in [(1, 64), (16, 64), (16, 1 << 10), (1, 16 << 10)] {
        Benchmark("cork.written.\(count)x\(size)") { benchmark in
            let cork = Cork(messageSize: size)
            for _ in benchmark.scaledIterations { cork.turn(writing: count) }
        }
    }
    for count in [1, 16] {
        Benchmark("cork.shared.\(count)x64") { benchmark in
            let cork = Cork(messageSize: 64)
            for _ in benchmark.scaledIterations { cork.turn(sharing: count) }
        }
    }
}
