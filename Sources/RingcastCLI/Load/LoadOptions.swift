import ArgumentParser
import LoadTesting
import SystemCalls

/// What `ringcast load` and `ringcast bench` have in common.
struct LoadOptions: ParsableArguments {
    @Argument(help: "echo, chat, fanout, idle, churn, slow or mixed.")
    var workload: Workload?

    @Option(help: "How many connections.")
    var connections: Int?

    @Option(help: "Messages outstanding per connection (echo).")
    var depth = 1

    @Option(
        help: ArgumentHelp("Payload of a message; from 16 on it carries a number and the time.", valueName: "bytes"))
    var size: Int?

    @Option(help: "Connections that publish (fanout, slow).")
    var publishers = 1

    @Option(help: "Connections that subscribe (fanout, slow).")
    var subscribers = 1_000

    @Option(help: "Publishes outstanding, over all publishers (fanout, slow).")
    var window = 16

    @Option(help: "Topics that publishers and subscribers are spread over.")
    var topics = 1

    @Option(
        help: ArgumentHelp(
            "Send so many messages a second on schedule, whatever comes back; latency counts from the intended time. "
                + "Left out: the next one goes when the last came back.",
            valueName: "per-second"))
    var rate: Double?

    @Option(help: ArgumentHelp("How long to measure; mixed takes as long as its scenario.", valueName: "seconds"))
    var duration = 10.0

    @Option(
        help: ArgumentHelp(
            "How long to run before that: 1 if left out. With mixed the first part of the scenario: 0 if left out.",
            valueName: "seconds"))
    var warmup: Double?

    @Option(help: ArgumentHelp("Open so many connections a second.", valueName: "per-second"))
    var connectRate: Double?

    @Option(help: ArgumentHelp("How long a connection may take to be open.", valueName: "seconds"))
    var connectTimeout = 10.0

    @Option(
        help: ArgumentHelp(
            "Come from so many addresses, 127.0.0.2 and up: each has 28,000 ports (a loopback server only). "
                + "0: the kernel chooses.",
            valueName: "n"))
    var sources: Int?

    @Option(help: ArgumentHelp("The share of subscribers that stop reading (slow).", valueName: "share"))
    var stalled = 0.1

    @Option(help: ArgumentHelp("What users do (mixed); the format is below.", valueName: "file"))
    var scenario: String?

    @Flag(help: "Send text instead of binary messages.")
    var text = false

    @Flag(help: "Offer permessage-deflate.")
    var compress = false

    @Flag(help: "Accept any certificate (wss).")
    var insecure = false

    @OptionGroup var requestOptions: RequestOptions

    @Option(help: "How many loops of this tool drive the load; one per core it may use, at most 4, if left out.")
    var loops: Int?

    @Flag(help: "Do not bind each loop to a core of its own.")
    var noPin = false

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    @Option(help: ArgumentHelp("Write what happened in each second.", valueName: "file"))
    var csv: String?

    @Option(
        help: ArgumentHelp(
            "End with exit code 3 if this is so, as 'p99>20ms', 'errors>0', 'rate<100000'; may be repeated. Figures: "
                + "p50, p90, p99, p999, p9999, max, rate, deliveries, errors, lost, duplicated, out_of_order, unsent, "
                + "server_cpu.",
            valueName: "condition"))
    var failIf: [String] = []

    /// The plan for a server at `url`. `publishURL` is only needed where the two differ in more than the path.
    func plan(url: String, publishURL: String? = nil, cores: Int) throws -> LoadPlan {
        guard let workload else {
            throw ValidationError("which workload? echo, chat, fanout, idle, churn, slow or mixed")
        }
        var plan = LoadPlan(workload: workload, url: url)
        (plan.url, plan.publishURL) = LoadPlan.targets(workload: workload, url: url, publishURL: publishURL)
        plan.connections = connections ?? workload.usualConnections
        (plan.depth, plan.size) = (depth, size ?? (workload.hasPublishers ? 100 : 20))
        (plan.publishers, plan.subscribers, plan.window, plan.topics) = (publishers, subscribers, window, topics)
        (plan.rate, plan.connectRate, plan.connectTimeout) = (rate, connectRate, connectTimeout)
        (plan.duration, plan.warmup) = (duration, warmup ?? (workload == .mixed ? 0 : 1))
        (plan.isText, plan.compress, plan.insecure, plan.stalled) = (
            text || workload == .chat, compress, insecure, stalled
        )
        plan.headers = try requestOptions.fields()
        plan.loops = loops ?? min(4, cores)
        plan.pinsThreads = !noPin
        plan.scenario = try scenario.map(readScenario)
        plan.sources = sources ?? 0
        if let objection = plan.objection { throw CommandFailure(objection) }
        if sources == nil { plan.sources = plan.usualSources }
        // The file is tried before anything is measured that could not be kept.
        if let csv, !SystemFile.write("", to: csv) { throw CommandFailure("--csv \(csv) cannot be written") }
        return plan
    }

    func thresholds() throws -> [Threshold] {
        do { return try failIf.map { try Threshold($0) } } catch {
            throw CommandFailure("\((error as? LoadFailure)?.message ?? "\(error)")")
        }
    }

    /// Writes the file of `--csv`, if there is to be one.
    func writeSeries(of result: LoadResult) throws {
        guard let csv, !SystemFile.write(TimeSeries.text(result.series, of: result.plan), to: csv) else { return }
        throw CommandFailure("--csv \(csv) cannot be written")
    }

    private func readScenario(_ path: String) throws -> Scenario {
        guard let text = SystemFile.read(path) else { throw CommandFailure("\(path) cannot be read") }
        do throws(LoadFailure) { return try Scenario.parse(text) } catch {
            throw CommandFailure("\(path), \(error.message)")
        }
    }

    static let formats = """
        A URL without a path gets the workload's own: /echo, /chat, /topic/{topic} and /publish/{topic}.
        {topic} is replaced by a name.

        A scenario (mixed) is a text file:
          path /echo 80              where users go, and how many of a hundred; a message waits for its answer
          path /topic/{topic} 20 quiet         nothing is waited for
          size 20..400               bytes of a message
          phase ramp-up              phases run one after the other, and keep what they do not say
              duration 10s
              users 0 -> 500         the number changes evenly
              think 1s..3s           between an answer and the next message
          phase steady
              duration 30s

        Exit code 1: it could not be run, or the server failed; 3: a --fail-if condition came true; 130: it was
        interrupted before anything was measured. Ctrl-C ends the load and tells what was measured until then.
        """
}

extension Workload: ExpressibleByArgument {
    /// How many connections there are if no number is given.
    var usualConnections: Int {
        switch self {
        case .chat: 32
        case .idle: 1_000
        default: 64
        }
    }
}

extension LoadPlan {
    /// How many source addresses it takes not to run out of ports, where the server is on loopback. For plans without
    /// objections.
    var usualSources: Int {
        guard url.contains("://127.") else { return 0 }
        if workload == .churn { return 16 }
        return totalConnections > 20_000 ? (totalConnections + 19_999) / 20_000 : 0
    }
}
