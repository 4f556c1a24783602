package import Ringcast

/// What is asked of a load, complete and consistent.
///
/// This folder is the load generator behind `ringcast load` and `ringcast bench`. Beside `Engine/` it holds values:
/// what is asked for (plans, scenarios, thresholds), what was measured, and how both are read and written. They know no
/// socket and no clock. What belongs to the tool does not live here: its options, its terminal, its exit codes.
package struct LoadPlan: Sendable {
    package var workload: Workload
    /// Where connections go; may hold `{topic}`.
    package var url: String
    /// Where publishers go (fanout, slow); may hold `{topic}`.
    package var publishURL: String
    package var connections = 64
    /// Messages outstanding per connection (echo).
    package var depth = 1
    /// Payload bytes of a message.
    package var size = 20
    package var publishers = 1
    package var subscribers = 1_000
    /// Publishes outstanding, over all publishers.
    package var window = 16
    package var topics = 1
    /// Messages per second in all, sent on schedule whatever comes back. Without a rate the next message goes when
    /// the last one came back.
    package var rate: Double?
    /// Seconds that are measured.
    package var duration = 10.0
    /// Seconds of warm-up in front of the measured ones.
    package var warmup = 1.0
    /// Connections opened per second in all. Without a rate they open as fast as they succeed, 128 at a time on each
    /// loop.
    package var connectRate: Double?
    /// Seconds that a connection may take to be open.
    package var connectTimeout = 10.0
    package var isText = false
    package var compress = false
    package var insecure = false
    /// Header fields of every request. Results do not tell them: there may be secrets among them.
    package var headers = HTTPFields()
    package var loops = 1
    package var pinsThreads = true
    /// How many addresses of 127/8 connections come from; 0 leaves the choice to the kernel.
    package var sources = 0
    /// The share of subscribers that stop reading (slow).
    package var stalled = 0.1
    /// Milliseconds from one round to the next at least (chat).
    package var roundInterval = 64
    package var serverPID: Int32?
    package var scenario: Scenario?

    package init(workload: Workload, url: String) {
        self.workload = workload
        (self.url, publishURL) = Self.targets(workload: workload, url: url, publishURL: nil)
    }

    /// Completes URLs that name no path with the workload's own.
    package static func targets(workload: Workload, url: String, publishURL: String?) -> (url: String, publish: String)
    {
        guard let base = baseIfWithoutPath(url) else { return (url, publishURL ?? url) }
        return (base + workload.defaultPath, publishURL ?? base + "/publish/{topic}")
    }

    /// The URL without a slash at its end; nil where it names a path.
    private static func baseIfWithoutPath(_ url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        guard let slash = url[scheme.upperBound...].firstIndex(where: { $0 == "/" || $0 == "?" }) else { return url }
        return url[slash...] == "/" ? String(url[..<slash]) : nil
    }

    /// The URL that a pattern stands for, with the topic's name in it.
    package static func address(_ pattern: String, topic: Int) -> String {
        pattern.replacing("{topic}", with: "load\(topic)")
    }

    /// How many connections are open at once, at the most.
    package var totalConnections: Int {
        switch workload {
        case .fanout, .slow: subscribers + publishers
        case .mixed: scenario?.mostConnections ?? connections
        default: connections
        }
    }

    /// Payload bytes of the longest message.
    package var largestMessage: Int { scenario?.size.upperBound ?? size }

    /// How long is measured: `duration`, or what the warm-up leaves of a scenario.
    package var measuredSeconds: Double { scenario.map { $0.duration - warmup } ?? duration }

    /// What counts as a message: round trips of an echo, connections of a churn, publishes of a fan-out, else what
    /// clients sent.
    package func messages(in counters: LoadCounters) -> Double {
        switch workload {
        case .echo, .churn: Double(counters.answered)
        // A round's texts are handed over all at once, so what has come of them tells more.
        case .chat: Double(counters.received) / Double(connections)
        default: Double(counters.sent)
        }
    }
}

/// Why a load could not be run: one sentence, with what to do.
package struct LoadFailure: Error, Equatable, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}
