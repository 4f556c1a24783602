import WebSocketProtocol

/// A client of the model test: its socket, and what is due to it.
final class ModelMember {
    let client: SocketClient
    var ledger: ModelLedger
    /// It does not read.
    var isStalled = false
    /// It gives the kernel little room, so that the server feels it when it does not read.
    let hasSmallBuffers: Bool
    /// A kernel whose receive buffer overflows drops what comes with the acknowledgements in it. It then takes its own
    /// bytes for lost, and holds back new ones for up to minutes: nothing that the server could help.
    var canSpeak: Bool { !isStalled || client.connection.unacknowledgedByteCount == 0 }
    private(set) var commandCount = 0
    private var received: [(stream: Int, number: Int)] = []

    init(client: SocketClient, ledger: ModelLedger, hasSmallBuffers: Bool) {
        (self.client, self.ledger, self.hasSmallBuffers) = (client, ledger, hasSmallBuffers)
    }

    var id: Int { ledger.member }

    func command(_ words: String) throws {
        commandCount += 1
        try client.send(words)
    }

    /// Reads until the last message of every source has come.
    func read(through last: [Int?]) throws {
        var missing = last.count
        var isReached = last.map { $0 == nil }
        missing -= isReached.count { $0 }
        func note(_ message: (stream: Int, number: Int)) {
            // The streams of topics of total order have no last message.
            guard message.stream < last.count, !isReached[message.stream],
                message.number >= last[message.stream]!
            else { return }
            isReached[message.stream] = true
            missing -= 1
        }
        received.forEach(note)
        while missing > 0 { note(try readMessage()) }
    }

    /// Reads what is there.
    func readAvailable() throws {
        while client.connection.hasInput(within: 1) { _ = try readMessage() }
    }

    /// Closes, and reads what was queued before.
    func closeAndRead() throws {
        try client.sendClose()
        while true {
            let frame = try client.read()
            if frame.opcode == .close { return }
            try take(frame)
        }
    }

    /// Holds everything received against what was due, and against the order of the topics that have one.
    func settle(_ order: inout ModelOrder) -> String? {
        defer { received.removeAll(keepingCapacity: true) }
        return ledger.settle(received) ?? order.check(received, of: id)
    }

    private func readMessage() throws -> (stream: Int, number: Int) {
        try take(client.read())
        return received.last!
    }

    private func take(_ frame: SocketClient.Frame) throws {
        let words = frame.payload.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard frame.opcode == .text, words.count == 3, let stream = Int(String(decoding: words[0], as: UTF8.self)),
            let number = Int(String(decoding: words[1], as: UTF8.self))
        else { throw TCPClient.Failure(what: "not a message of the model: \(frame)") }
        received.append((stream, number))
    }
}
