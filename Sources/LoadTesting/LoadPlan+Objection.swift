extension LoadPlan {
    /// Why the plan cannot be carried out; nil if it can.
    package var objection: String? { countObjection ?? timeObjection ?? workloadObjection }

    private var countObjection: String? {
        let counts = [
            ("--connections", connections, Self.mostConnections), ("--subscribers", subscribers, Self.mostConnections),
            ("--publishers", publishers, Stamp.senders), ("--topics", topics, Self.mostConnections),
            ("--depth", depth, 65_536), ("--window", window, 1 << 20), ("--loops", loops, 256),
        ]
        for (name, count, most) in counts where !(1...most ~= count) { return "\(name) is 1 to \(most)" }
        if !(0...16 << 20 ~= size) { return "--size is 0 to 16777216 bytes" }
        if !(0...65_536 ~= sources) { return "--sources is 0 to 65536" }
        return nil
    }

    private static let mostConnections = 10_000_000

    private var timeObjection: String? {
        if let rate, !(0.001...1e7 ~= rate) { return "--rate is a number of messages per second, 0.001 to 1e7" }
        if let connectRate, !(0.001...1e6 ~= connectRate) {
            return "--connect-rate is a number of connections per second, 0.001 to 1e6"
        }
        if !(0.001...1e7 ~= duration) { return "--duration is a number of seconds, 0.001 to 1e7" }
        if !(0...1e6 ~= warmup) { return "--warmup is a number of seconds, 0 to 1e6" }
        if !(0.001...1e6 ~= connectTimeout) { return "--connect-timeout is a number of seconds, 0.001 to 1e6" }
        if !(0...1 ~= stalled) { return "--stalled is a share, 0 to 1" }
        return nil
    }

    private var workloadObjection: String? {
        if rate != nil, [.idle, .chat, .mixed].contains(workload) { return "\(workload.rawValue) has no --rate" }
        if workload == .mixed { return scenarioObjection }
        if scenario != nil { return "--scenario is for the workload mixed" }
        return workload.hasPublishers ? publishObjection : nil
    }

    private var publishObjection: String? {
        if size < Stamp.byteCount {
            return
                "\(workload.rawValue) needs --size \(Stamp.byteCount) or more: messages carry a number and the time"
        }
        if topics > subscribers { return "--topics is more than --subscribers: some would have none" }
        if FanoutLayout(plan: self).readers.contains(where: { $0.allSatisfy { $0 == 0 } }) {
            return "--stalled \(stalled) leaves a topic without anyone who reads: make it less, or --subscribers more"
        }
        return nil
    }

    private var scenarioObjection: String? {
        guard let scenario else { return "mixed needs --scenario FILE; `ringcast load --help` tells its format" }
        if warmup >= scenario.duration {
            return "--warmup is the first part of the scenario, and has to be shorter than it (\(scenario.duration) s)"
        }
        return nil
    }
}
