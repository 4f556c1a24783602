/// What is asked of a load, complete and consistent.
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
    /// Messages per second in all, sent on schedule whatever comes back. nil: the next one goes when the last came
    /// back.
    package var rate: Double?
    /// Seconds that are measured.
    package var duration = 10.0
    /// Seconds before them.
    package var warmup = 1.0
    /// Connections opened per second in all; nil: as fast as they succeed, 256 at a time.
    package var connectRate: Double?
    package var isText = false
    package var compress = false
    package var insecure = false
    package var loops = 1
    package var pinning = true
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

    /// The URL without a slash at its end, if it names no path.
    private static func baseIfWithoutPath(_ url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        guard let slash = url[scheme.upperBound...].firstIndex(where: { $0 == "/" || $0 == "?" }) else { return url }
        return url[slash...] == "/" ? String(url[..<slash]) : nil
    }

    /// A URL with its topic.
    package static func address(_ pattern: String, topic: Int) -> String {
        pattern.replacing("{topic}", with: "load\(topic)")
    }

    /// Connections in all, at the most.
    package var totalConnections: Int {
        switch workload {
        case .fanout, .slow: subscribers + publishers
        case .mixed: scenario?.mostConnections ?? connections
        default: connections
        }
    }

    /// Why the plan cannot be carried out; nil if it can.
    package var objection: String? {
        let counts = [
            ("--connections", connections), ("--depth", depth), ("--publishers", publishers),
            ("--subscribers", subscribers),
            ("--window", window), ("--topics", topics), ("--loops", loops),
        ]
        for (name, count) in counts where count < 1 { return "\(name) must be at least 1" }
        if size < 0 || size > 16 << 20 { return "--size is 0 to 16777216 bytes" }
        if let rate, !(rate > 0 && rate <= 1e9) { return "--rate is a number of messages per second above 0" }
        if let connectRate, !(connectRate > 0 && connectRate <= 1e6) {
            return "--connect-rate is 1 to 1000000 per second"
        }
        if !(duration > 0 && duration <= 1e7) { return "--duration is a number of seconds above 0" }
        if !(warmup >= 0 && warmup <= 1e6) { return "--warmup is a number of seconds, 0 or more" }
        if !(0...1 ~= stalled) { return "--stalled is a share, 0 to 1" }
        if workload.hasPublishers, size < Stamp.byteCount {
            return
                "\(workload.rawValue) needs --size \(Stamp.byteCount) or more: messages carry a number and the time"
        }
        if workload.hasPublishers, topics > subscribers {
            return "--topics is more than --subscribers: some would have none"
        }
        if workload == .mixed, scenario == nil {
            return "mixed needs --scenario FILE; `ringcast load --help` tells its format"
        }
        if workload == .idle || workload == .chat, rate != nil { return "\(workload.rawValue) has no --rate" }
        return nil
    }
}
