import ArgumentParser
import Dispatch
import Glibc
import SystemCalls

/// The `ringcast` tool. What goes wrong is said in one sentence on standard error; the exit code is 64 for what was
/// mistyped, else 1, and `LoadOptions.formats` names those of loads.
///
/// This folder is the commands: a file for each, one for its options, and what they serve and print; those that drive a
/// load are in `Load/`. A command turns options into a configuration, runs it, and says what came of it. It uses the
/// library as a user of the package does: what a server or a load has to know lives in Ringcast or LoadTesting.
struct RingcastCommand: AsyncParsableCommand {
    static let version = "1.0.0-rc.1"
    static let configuration = CommandConfiguration(
        commandName: "ringcast",
        abstract: "A WebSocket server for Linux, on one io_uring loop per core.",
        subcommands: [
            ServeCommand.self, BenchCommand.self, LoadCommand.self, ConnectCommand.self, HealthCommand.self,
            TopCommand.self,
        ])

    static func runToEnd() async {
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
            failure.end()
        }
    }
}

@main
enum Tool {
    /// The pool that runs tasks waits for ever, and says nothing, when none of its threads can be started. It wants one
    /// for the command, one for signals, one for what these wait for and one that manages them.
    static func main() {
        guard Threads.canStart(4) else {
            CommandFailure(
                "there are too few threads for this process: raise the limit of processes (ulimit -u, a container's "
                    + "--pids-limit, systemd's TasksMax=)"
            ).end()
        }
        Task {
            await RingcastCommand.runToEnd()
            exit(EXIT_SUCCESS)
        }
        dispatchMain()
    }
}

/// Why a command could not do what it was asked: one sentence.
struct CommandFailure: Error {
    let message: String

    init(_ message: String) { self.message = message }

    /// Says it and ends the process.
    func end() -> Never {
        write(message + "\n", to: STDERR_FILENO)
        exit(EXIT_FAILURE)
    }
}

/// Writes text at once, without a buffer that an exit could lose.
func write(_ text: String, to descriptor: Int32) { SystemFile.write(Array(text.utf8), to: descriptor) }
