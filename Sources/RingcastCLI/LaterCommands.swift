import ArgumentParser

// Commands whose time has not come. Each takes whatever stands behind it, so that the answer is about the command.

struct ConnectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Talk to a WebSocket server. (Not part of this version yet.)")

    @Argument(parsing: .allUnrecognized) var arguments: [String] = []

    func run() throws { throw CommandFailure.notYet("ringcast connect") }
}
