// Without the package's trait `Metrics` there is no swift-metrics, and this module is empty.
#if Metrics
    public import CoreMetrics
    public import Ringcast

    /// Hands a server's metrics to swift-metrics, under the names and labels that `Server.metrics` has.
    ///
    ///     group.addTask { await MetricsExporter(server).run() }
    ///
    /// It looks at the server at an interval, and the loops know nothing of it. Counters grow by what has come since
    /// the last look. A histogram's classes are counters as Prometheus has them: `_bucket` with `le`, `_sum` and
    /// `_count`, since single values are not kept.
    public struct MetricsExporter: Sendable {
        private let server: Server
        private let interval: Duration
        private let factory: any MetricsFactory

        /// - Parameters:
        ///   - server: whose metrics.
        ///   - interval: the time between two looks.
        ///   - factory: what makes the metrics; by default what `MetricsSystem` was set up with.
        public init(
            _ server: Server, every interval: Duration = .seconds(5),
            factory: any MetricsFactory = MetricsSystem.factory
        ) {
            self.server = server
            self.interval = interval
            self.factory = factory
        }

        /// Hands metrics over until the task is cancelled, and a last time then.
        public func run() async {
            let record = MetricsRecord(factory: factory)
            defer {
                record.note(server.metrics)
                record.destroy()
            }
            while !Task.isCancelled {
                record.note(server.metrics)
                do { try await Task.sleep(for: interval) } catch { break }
            }
        }
    }

    /// What has been handed to a factory so far.
    final class MetricsRecord {
        private struct Key: Hashable {
            let name: String
            let labels: [MetricFamily.Label]

            var dimensions: [(String, String)] { labels.map { ($0.name, $0.value) } }
        }

        private let factory: any MetricsFactory
        private var counters: [Key: (counter: Counter, value: Int)] = [:]
        private var sums: [Key: (counter: FloatingPointCounter, value: Double)] = [:]
        private var gauges: [Key: Gauge] = [:]

        init(factory: any MetricsFactory) { self.factory = factory }

        func note(_ families: [MetricFamily]) {
            for family in families {
                for sample in family.samples { note(sample, of: family) }
            }
        }

        private func note(_ sample: MetricFamily.Sample, of family: MetricFamily) {
            let key = Key(name: family.name, labels: sample.labels)
            switch (sample.value, family.kind) {
            case (.integer(let value), .gauge): gauge(key).record(value)
            case (.number(let value), .gauge): gauge(key).record(value)
            case (.integer(let value), _): count(value, key)
            case (.number(let value), _): add(value, key)
            case (.histogram(let histogram), _):
                var count = 0
                for (bound, amount) in zip(histogram.bounds + [.infinity], histogram.counts) {
                    count += amount
                    let label = MetricFamily.Label("le", PrometheusText.number(bound))
                    self.count(count, Key(name: family.name + "_bucket", labels: sample.labels + [label]))
                }
                self.count(count, Key(name: family.name + "_count", labels: sample.labels))
                add(histogram.sum, Key(name: family.name + "_sum", labels: sample.labels))
            }
        }

        private func gauge(_ key: Key) -> Gauge {
            if let gauge = gauges[key] { return gauge }
            let gauge = Gauge(label: key.name, dimensions: key.dimensions, factory: factory)
            gauges[key] = gauge
            return gauge
        }

        private func count(_ value: Int, _ key: Key) {
            let old = counters[key] ?? (Counter(label: key.name, dimensions: key.dimensions, factory: factory), 0)
            if value > old.value { old.counter.increment(by: value - old.value) }
            counters[key] = (old.counter, max(value, old.value))
        }

        private func add(_ value: Double, _ key: Key) {
            let old =
                sums[key] ?? (FloatingPointCounter(label: key.name, dimensions: key.dimensions, factory: factory), 0)
            if value > old.value { old.counter.increment(by: value - old.value) }
            sums[key] = (old.counter, max(value, old.value))
        }

        /// Gives everything back that the factory has made.
        func destroy() {
            for (counter, _) in counters.values { counter.destroy() }
            for (counter, _) in sums.values { counter.destroy() }
            for gauge in gauges.values { gauge.destroy() }
            (counters, sums, gauges) = ([:], [:], [:])
        }
    }
#endif
