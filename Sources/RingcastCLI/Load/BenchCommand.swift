import ArgumentParser
import Glibc
import LoadTesting
import Ringcast

/// `ringcast bench`: starts its own server on cores of its own, drives it several times, and tells medians and spreads.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Start a server on its own cores, drive it several times, and tell medians and spreads.",
        discussion: LoadOptions.formats)

    @OptionGroup var options: LoadOptions

    @Option(help: "How often to run it, each time with a new server.")
    var `repeat` = 5

    @Option(help: "How many loops the server has; half of the cores if left out.")
    var serverLoops: Int?

    @Option(
        help: ArgumentHelp(
            "The order of all topics' messages at the server: total or per-publisher. If it is left out, as `serve` "
                + "has it.",
            valueName: "order"))
    var order: ServeOptions.Order?

    @Flag(help: "Serve and drive wss, with a certificate made for it.")
    var tls = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Compare two files that --json wrote, B over A, instead of running anything.", valueName: "a.json b.json"))
    var compare: [String] = []

    func validate() throws {
        guard compare.isEmpty || compare.count == 2 else { throw ValidationError("--compare takes two files") }
        guard `repeat` >= 1 else { throw ValidationError("--repeat must be at least 1") }
        if let serverLoops, !(1...1_024 ~= serverLoops) { throw ValidationError("--server-loops is 1 to 1024") }
    }

    func run() async throws {
        if compare.count == 2 { return try compareFiles(compare[0], compare[1]) }
        let cores = CoreShares(of: Cores.available, serverLoops: serverLoops)
        let thresholds = try options.thresholds()
        // What is wrong with the options is said before a server is started for them.
        _ = try options.plan(url: "ws://127.0.0.1", cores: cores.load.count)
        let certificate = tls ? try SelfSigned() : nil
        var results: [LoadResult] = []
        for round in 1...`repeat` where !Interrupts.control.isStopped {
            results.append(try await runOnce(round, cores, certificate))
        }
        try report(results, thresholds)
    }

    private func runOnce(_ round: Int, _ cores: CoreShares, _ tls: SelfSigned?) async throws -> LoadResult {
        // Nothing is awaited from here to the server's start, so both happen on this thread; the server inherits its
        // cores.
        Cores.restrictThread(to: cores.server)
        let server = try ServerProcess(
            loops: cores.serverLoops, compress: options.compress, order: order, tls: tls)
        Cores.restrictProcess(to: cores.load)
        defer { server.stop() }
        var plan = try options.plan(url: server.url, cores: cores.load.count)
        plan.serverPID = server.pid
        // The certificate was made for this run, and no authority has signed it.
        if tls != nil { plan.insecure = true }
        return try await LoadRunner(options: options, label: "\(round)/\(`repeat`) ").run(plan)
    }

    private func report(_ results: [LoadResult], _ thresholds: [Threshold]) throws {
        // A run that was interrupted before it was measured does not count.
        let results = results.filter { !$0.interrupted || $0.seconds > 0 }
        guard let last = results.last else { throw ExitCode(LoadRunner.interruptedCode) }
        try options.writeSeries(of: last)
        let (machine, versions) = (Machine.facts, Machine.versions)
        let bench = BenchReport(
            runs: results.map { LoadRecord(result: $0, machine: machine, versions: versions) })
        write(options.json ? try JSON.text(bench) + "\n" : bench.text, to: STDOUT_FILENO)
        let violations = results.enumerated().flatMap { index, result in
            thresholds.compactMap { threshold in threshold.violation(by: result).map { "run \(index + 1): \($0)" } }
        }
        for violation in violations { write(violation + "\n", to: STDERR_FILENO) }
        if let failure = results.lazy.compactMap(\.failure).first { throw CommandFailure(failure) }
        if !violations.isEmpty { throw ExitCode(3) }
    }

    private func compareFiles(_ a: String, _ b: String) throws {
        do throws(LoadFailure) {
            let (before, after) = (try BenchFile(path: a), try BenchFile(path: b))
            write(try BenchFile.compare(before, after), to: STDOUT_FILENO)
        } catch {
            throw CommandFailure(error.message)
        }
    }
}

/// Which cores the server gets, and which the load. On one core they share it.
struct CoreShares: Equatable {
    let server: [Int]
    let load: [Int]
    let serverLoops: Int

    init(of cores: [Int], serverLoops: Int?) {
        let count = min(serverLoops ?? max(1, cores.count / 2), max(1, cores.count - 1))
        server = Array(cores.prefix(count))
        load = cores.count > count ? Array(cores.dropFirst(count)) : cores
        self.serverLoops = serverLoops ?? count
    }
}
