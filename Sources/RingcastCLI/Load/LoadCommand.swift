import ArgumentParser
import Glibc
import LoadTesting
import Ringcast

/// `ringcast load`: drives any WebSocket server, and tells how it did.
///
/// This folder is the two commands that measure, `load` and `bench`, and what they need of the machine: cores, a server
/// process, a certificate, a terminal. What is measured, and how, lives in LoadTesting.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Drive any WebSocket server, and measure it.", discussion: LoadOptions.formats)

    @OptionGroup var options: LoadOptions

    @Option(help: ArgumentHelp("Where the server is, as ws://127.0.0.1:3000 or wss://host/path.", valueName: "url"))
    var url: String

    @Option(help: ArgumentHelp("Where publishers go, if not to the same server's /publish/{topic}.", valueName: "url"))
    var publishURL: String?

    @Option(
        help: ArgumentHelp(
            "A process on this machine whose CPU, memory and context switches are told.", valueName: "pid"))
    var serverPID: Int32?

    func run() async throws {
        var plan = try options.plan(url: url, publishURL: publishURL, cores: Cores.available.count)
        plan.serverPID = serverPID
        let thresholds = try options.thresholds()
        let result = try await LoadRunner(options: options).run(plan)
        try LoadRunner.finish(result, options: options, thresholds: thresholds)
    }
}

/// Runs a load for a command: progress on a terminal, a clean stop at Ctrl-C, and the results.
struct LoadRunner {
    let options: LoadOptions
    var label = ""

    func run(_ plan: LoadPlan) async throws -> LoadResult {
        let display = ProgressDisplay(workload: plan.workload, label: label)
        let engine = LoadEngine(plan: plan, control: Interrupts.control) { display.show($0, $1, open: $2) }
        Interrupts.install()
        do throws(LoadFailure) {
            let result = try await engine.run()
            display.clear()
            return result
        } catch {
            display.clear()
            throw CommandFailure(error.message)
        }
    }

    /// The exit code that shells give a program that Ctrl-C has ended.
    static let interruptedCode: Int32 = 128 + SIGINT

    /// Writes everything that was asked for, and ends with the exit code that says how it went.
    static func finish(_ result: LoadResult, options: LoadOptions, thresholds: [Threshold]) throws {
        try options.writeSeries(of: result)
        let record = LoadRecord(result: result, machine: Machine.facts, versions: Machine.versions)
        write(options.json ? try JSON.text(record) + "\n" : result.text, to: STDOUT_FILENO)
        if result.interrupted, result.seconds == 0 { throw ExitCode(interruptedCode) }
        let violations = thresholds.compactMap { $0.violation(by: result) }
        for violation in violations { write(violation + "\n", to: STDERR_FILENO) }
        if let failure = result.failure { throw CommandFailure(failure) }
        if !violations.isEmpty { throw ExitCode(3) }
    }
}

/// Ctrl-C stops a load cleanly; a second one ends the program at once.
enum Interrupts {
    static let control = LoadControl()

    static func install() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // A store and a change of handler are all that happens here: both are safe in a signal handler.
                Interrupts.control.stop()
                signal(number, SIG_DFL)
            }
        }
        signal(SIGPIPE, SIG_IGN)
    }
}
