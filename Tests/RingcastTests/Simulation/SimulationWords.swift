/// The words of a message's text, one after the other: what stands behind the last one that was asked for is not
/// looked at, and may be long.
struct SimulationWords {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    mutating func next() -> Substring? {
        guard !rest.isEmpty else { return nil }
        let end = rest.firstIndex(of: UInt8(ascii: " ")) ?? rest.endIndex
        let word = Substring(rest[..<end])
        rest = rest[end...].dropFirst()
        return word
    }

    mutating func nextNumber() -> Int? { next().flatMap { Int($0) } }

    /// What has not been asked for.
    var remainder: Substring { Substring(rest) }
}

/// One message that a simulated client has had published.
struct Publication: Hashable, CustomStringConvertible {
    /// Of which each publisher's messages come in order.
    struct Stream: Hashable {
        let topic: String
        let publisher: Int
    }

    let stream: Stream
    let sequence: Int

    var topic: String { stream.topic }
    var publisher: Int { stream.publisher }
    /// Whether its topic has a history.
    var isKept: Bool { topic.utf8.first == UInt8(ascii: "h") }
    var description: String { "\(topic) \(publisher) \(sequence)" }

    init(_ stream: Stream, sequence: Int) { (self.stream, self.sequence) = (stream, sequence) }

    /// From the text of a message: `m TOPIC PUBLISHER SEQUENCE PADDING`.
    init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "m") else { return nil }
        var words = SimulationWords(text)
        self.init(&words)
    }

    /// From the words of such a text; the padding is left, or a stamp and the padding: `@PLACE PADDING`.
    init?(_ words: inout SimulationWords) {
        guard words.next() == "m", let topic = words.next(), let publisher = words.nextNumber(),
            let sequence = words.nextNumber()
        else { return nil }
        self.init(Stream(topic: String(topic), publisher: publisher), sequence: sequence)
    }
}

/// One message that a socket's handler has sent to another socket, by its reference.
struct Letter: Hashable, CustomStringConvertible {
    let receiver: Int
    let sender: Int
    let number: Int

    var description: String { "d \(receiver) \(sender) \(number)" }

    init(to receiver: Int, from sender: Int, number: Int) {
        (self.receiver, self.sender, self.number) = (receiver, sender, number)
    }

    /// From the text of a message: `d RECEIVER SENDER NUMBER PADDING`.
    init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "d") else { return nil }
        var words = SimulationWords(text)
        guard words.next() == "d", let receiver = words.nextNumber(), let sender = words.nextNumber(),
            let number = words.nextNumber()
        else { return nil }
        self.init(to: receiver, from: sender, number: number)
    }
}
