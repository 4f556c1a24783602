import ArgumentParser

// Commands whose time has not come. Each takes whatever stands behind it, so that the answer is about the command.

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Start a server, drive it, and report. (Not part of this version yet.)")

    @Argument(parsing: .allUnrecognized) var arguments: [String] = []

    func run() throws { throw CommandFailure.notYet("ringcast bench") }
}

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Drive any WebSocket server. (Not part of this version yet.)")

    @Argument(parsing: .allUnrecognized) var arguments: [String] = []

    func run() throws { throw CommandFailure.notYet("ringcast load") }
}
