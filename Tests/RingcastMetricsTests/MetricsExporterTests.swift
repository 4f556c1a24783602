#if Metrics
    import CoreMetrics
    import MetricsTestKit
    import Ringcast
    import Testing

    @testable import RingcastMetrics

    @Suite struct MetricsExporterTests {
        private func families(messages: Int, seconds: Double, sockets: Int, turns: [Int]) -> [MetricFamily] {
            [
                MetricFamily(
                    "m_total", .counter, "M.", samples: [.init(.integer(messages), labels: [.init("loop", "0")])]),
                MetricFamily("s_total", .counter, "S.", samples: [.init(.number(seconds))]),
                MetricFamily("g", .gauge, "G.", samples: [.init(.integer(sockets))]),
                MetricFamily(
                    "h", .histogram, "H.",
                    samples: [.init(.histogram(.init(bounds: [0.5, 1], counts: turns, sum: 1.25)))]),
            ]
        }

        @Test func `counters grow by what has come, gauges are what they are`() throws {
            let metrics = TestMetrics()
            let record = MetricsRecord(factory: metrics)
            record.note(families(messages: 3, seconds: 1.5, sockets: 7, turns: [1, 0, 2]))
            record.note(families(messages: 5, seconds: 1.5, sockets: 6, turns: [1, 0, 2]))
            record.note(families(messages: 5, seconds: 2.0, sockets: 6, turns: [1, 4, 2]))
            #expect(try metrics.expectCounter("m_total", [("loop", "0")]).values == [3, 2])
            #expect(try metrics.expectRecorder("g").values == [7, 6, 6])
            #expect(try metrics.expectCounter("h_bucket", [("le", "0.5")]).totalValue == 1)
            #expect(try metrics.expectCounter("h_bucket", [("le", "1")]).totalValue == 5)
            #expect(try metrics.expectCounter("h_bucket", [("le", "+Inf")]).totalValue == 7)
            #expect(try metrics.expectCounter("h_count").totalValue == 7)
            record.destroy()
        }

        @Test func `a server's metrics are handed over until the task ends`() async throws {
            let server = try Server(
                configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
            ) { _ in .response(.ok) }
            let metrics = TestMetrics()
            let task = Task { await MetricsExporter(server, every: .milliseconds(1), factory: metrics).run() }
            while (try? metrics.expectRecorder("ringcast_sockets", [("loop", "0")]))?.values.count ?? 0 < 3 {
                try await Task.sleep(for: .milliseconds(1))
            }
            task.cancel()
            await task.value
        }
    }
#endif
