import SimulatedKernel

@testable import RingcastCluster

/// The engine's side of one connection: reads commands, and writes answers and messages.
final class EngineSide {
    private let isRedis: Bool
    private var input: [UInt8] = []
    /// What is on its way to the node.
    var output: [UInt8] = []
    /// Channels by their subscriptions' names: the same for Redis, numbers for NATS.
    private var subscriptions: [String: String] = [:]
    /// Nothing more is heard or said.
    var isClosed = false
    private var isSubscribed: Bool { !subscriptions.isEmpty }

    init(isRedis: Bool) { self.isRedis = isRedis }

    var channels: Set<String> { isClosed ? [] : Set(subscriptions.keys) }

    func greet() { if !isRedis { say("INFO {\"max_payload\":1048576}\r\n") } }

    func close() {
        isClosed = true
        (input, output, subscriptions) = ([], [], [:])
    }

    private func say(_ text: String) { output += text.utf8 }

    /// Sends an envelope to who is subscribed to its channel, and says whether it is.
    func send(_ envelope: [UInt8], to channel: String) -> Bool {
        guard let name = subscriptions[channel] else { return false }
        if isRedis {
            say("*3\r\n$7\r\nmessage\r\n$\(channel.utf8.count)\r\n\(channel)\r\n$\(envelope.count)\r\n")
        } else {
            say("MSG \(channel) \(name) \(envelope.count)\r\n")
        }
        output += envelope
        say("\r\n")
        return true
    }

    func heard(_ bytes: [UInt8], by wire: EngineWire, _ engine: SimulatedEngine) {
        guard !isClosed, !bytes.isEmpty else { return }
        input += bytes
        var start = 0
        while !isClosed, let command = isRedis ? takeArray(&start) : takeLine(&start) {
            obey(command, by: wire, engine)
        }
        input.removeFirst(min(start, input.count))
    }

    private func obey(_ command: [[UInt8]], by wire: EngineWire, _ engine: SimulatedEngine) {
        let words = command.map { String(decoding: $0, as: UTF8.self) }
        switch (words[0], words.count) {
        case ("PING", 1):
            say(!isRedis ? "PONG\r\n" : isSubscribed ? "*2\r\n$4\r\npong\r\n$0\r\n\r\n" : "+PONG\r\n")
        case ("SUBSCRIBE", 2), ("UNSUBSCRIBE", 2):
            subscriptions[words[1]] = words[0] == "SUBSCRIBE" ? words[1] : nil
            let (verb, channel) = (words[0].lowercased(), words[1])
            say("*3\r\n$\(verb.utf8.count)\r\n\(verb)\r\n$\(channel.utf8.count)\r\n\(channel)\r\n:1\r\n")
        case ("SUB", 3):
            if subscriptions.updateValue(words[2], forKey: words[1]) != nil {
                engine.ledger.complain("a node has subscribed twice to \(words[1])")
            }
        case ("UNSUB", 2): subscriptions = subscriptions.filter { $0.value != words[1] }
        case ("PUBLISH", 3), ("PUB", 4):
            let count = engine.publish(command.last!, to: words[1], by: wire)
            if isRedis { say(count.map { ":\($0)\r\n" } ?? "-OOM there is no room\r\n") }
        case ("CONNECT", _), ("PONG", 1): break
        default: engine.ledger.complain("a node has said what is no command: \(words)")
        }
    }

    /// The next command of Redis, an array of strings; nil if it is not whole.
    private func takeArray(_ start: inout Int) -> [[UInt8]]? {
        var position = start
        guard let count = takeNumber("*", &position) else { return nil }
        var parts: [[UInt8]] = []
        for _ in 0..<count {
            guard let length = takeNumber("$", &position), position + length + 2 <= input.count else { return nil }
            parts.append(Array(input[position..<position + length]))
            position += length + 2
        }
        start = position
        return parts
    }

    private func takeNumber(_ mark: Character, _ position: inout Int) -> Int? {
        guard let line = line(at: position) else { return nil }
        let text = String(decoding: input[line], as: UTF8.self)
        guard text.first == mark, let number = Int(text.dropFirst()) else {
            preconditionFailure("a node has said what is no RESP: \(text)")
        }
        position = line.upperBound + 2
        return number
    }

    /// The next command of NATS: the words of a line, and what is published behind them; nil if it is not whole.
    private func takeLine(_ start: inout Int) -> [[UInt8]]? {
        guard let line = line(at: start) else { return nil }
        var words = input[line].split(separator: 0x20).map { Array($0) }
        var position = line.upperBound + 2
        if words.first == Array("PUB".utf8) {
            let length = words.last.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
            guard position + length + 2 <= input.count else { return nil }
            words.append(Array(input[position..<position + length]))
            position += length + 2
        }
        start = position
        return words
    }

    private func line(at start: Int) -> Range<Int>? {
        var index = start
        while index + 1 < input.count {
            if input[index] == 13, input[index + 1] == 10 { return start..<index }
            index += 1
        }
        return nil
    }
}
