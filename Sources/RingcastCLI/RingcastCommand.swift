import ArgumentParser
import Glibc
import LoadTesting

/// The `ringcast` tool. What goes wrong is said in one sentence on standard error; the exit code is 64 for what was
/// typed, else 1.
///
/// This folder is the commands: a file for each, one for its options, and what they serve and print; those that drive a
/// load are in `Load/`. A command turns options into a configuration, runs it, and says what came of it. It uses the
/// library as a user of the package does: what a server or a load has to know lives in Ringcast or LoadTesting.
@main
struct RingcastCommand: AsyncParsableCommand {
    static let version = "unreleased"
    static let configuration = CommandConfiguration(
        commandName: "ringcast",
        abstract: "A WebSocket server for Linux, on one io_uring loop per core.",
        subcommands: [ServeCommand.self, BenchCommand.self, LoadCommand.self, ConnectCommand.self])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            // What was asked for (help) and what was mistyped is ArgumentParser's to say.
            guard let failure = error as? CommandFailure else { exit(withError: error) }
            write(failure.message + "\n", to: STDERR_FILENO)
            Glibc.exit(EXIT_FAILURE)
        }
    }
}

/// Why a command could not do what it was asked: one sentence.
struct CommandFailure: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

/// Writes text at once, without a buffer that an exit could lose.
func write(_ text: String, to descriptor: Int32) { SmallFile.write(text, to: descriptor) }
