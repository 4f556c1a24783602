import Benchmark
import RouteSources

/// A request's path among the routes of a server. Times are per match.
func routeBenchmarks() {
    for count in [10, 200, 1_000] {
        Benchmark("routes.match.\(count)") { benchmark in
            let sample = RouteSample(routes: count)
            benchmark.startMeasurement()
            for index in benchmark.scaledIterations { blackHole(sample.match(index)) }
            benchmark.stopMeasurement()
        }
    }
}
