import Ringcast

/// A topic's numbering: the epoch follows from the stream and the process of the server, so that all nodes come to the
/// same one. Where the epochs before had ended, a note says that goes to the stream of retained messages:
///
///     STREAM RUN EPOCH.OFFSET EPOCH.OFFSET …
///
/// STREAM is the number that the stream has in its subjects, RUN the process that the note is of. The first node that
/// asks in another process writes the next note before anybody appends anything, and who asks at the same time writes
/// the same. The stream's own configuration is not touched: a server that is killed while it changes one loses the
/// stream.
struct JetStreamNumbering: Equatable {
    let stream: UInt64
    let run: String
    var earlier: [Position] = []

    /// So many epochs are remembered.
    private static let earlierLimit = 16

    init(stream: UInt64, run: String) { (self.stream, self.run) = (stream, run) }

    /// Nil for what is no note on this stream.
    init?(note: some Collection<UInt8>, of stream: UInt64) {
        let words = String(decoding: note, as: UTF8.self).split(separator: " ")
        guard words.count >= 2, UInt64(words[0]) == stream else { return nil }
        (self.stream, run) = (stream, String(words[1]))
        earlier = words[2...].compactMap { Position(String($0)) }
    }

    var note: String { (["\(stream)", run] + earlier.map(\.description)).joined(separator: " ") }

    /// FNV-1a, within what JavaScript counts exactly.
    var epoch: UInt64 {
        let hash = "\(stream) \(run)".utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return max(1, hash & (1 << 52 - 1))
    }

    /// The numbering that goes on from this one in another process, behind what that has.
    func goingOn(in run: String, behind last: UInt64) -> JetStreamNumbering {
        var next = JetStreamNumbering(stream: stream, run: run)
        next.earlier = Array(([Position(epoch: epoch, offset: last)] + earlier).prefix(Self.earlierLimit))
        return next
    }
}

/// What a stream says of itself that a node has made: which one it is, in its subjects, and in its description for how
/// many milliseconds behind its last message it has to stay.
struct JetStreamLabel {
    let topic: Topic
    let stream: UInt64
    let keptMilliseconds: UInt64

    /// Nil for a stream that no node has made.
    init?(_ configuration: JetStreamConfiguration, _ language: NATSLanguage) {
        let words = (configuration.description ?? "").split(separator: " ")
        guard words.count == 2, words[0] == "ringcast", let time = UInt64(words[1]),
            let (topic, stream) = configuration.subjects?.first.flatMap({ language.streamed($0) })
        else { return nil }
        (self.topic, self.stream, keptMilliseconds) = (topic, stream, time)
    }
}

extension JetStreamConfiguration {
    /// Milliseconds after which a message is gone from a stream that nobody looks after any more.
    private static let longest: UInt64 = 30 * 86_400_000

    /// A topic's stream.
    /// - Parameter stream: which one: it was never used before.
    init(of topic: Topic, _ stream: UInt64, keeping bounds: TopicRule.History, _ language: NATSLanguage) {
        name = language.stream(of: topic)
        subjects = [false, true].map { language.appendSubject(of: topic, stream, retain: $0, epoch: nil) }
        let (source, destination) = language.republishing(of: topic, stream)
        republish = Republish(src: source, dest: destination)
        setBounds(bounds)
    }

    /// The stream that keeps what topics retain, beyond what their own streams keep, and notes on them.
    init(retainedOf language: NATSLanguage) {
        name = language.head
        subjects = [language.retainedSubjects(of: nil), language.noteSubject(of: nil)]
        messagesPerSubject = 1
    }

    mutating func setBounds(_ bounds: TopicRule.History) {
        messages = bounds.messages
        bytes = bounds.bytes
        age = Int64(min(max(bounds.age?.milliseconds ?? 0, Self.longest), 9_000_000_000_000)) * 1_000_000
        description = "ringcast \(bounds.keptMilliseconds)"
    }
}
