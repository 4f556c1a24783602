import ArgumentParser
import Glibc

/// The `ringcast` tool. What goes wrong is said in one sentence on standard error; the exit code is 64 for what was
/// typed, else 1.
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
func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8)[...], to: descriptor) }

/// The same with bytes.
func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) {
    var bytes = bytes
    while !bytes.isEmpty {
        // Safe: the pointer is used during the call only.
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}
