import Ringcast

/// The subjects of a cluster. TOPIC is a topic's name as one token, NODE the node's:
///
///     PREFIX.TOPIC                   what is published to topics without history
///     PREFIX.h.TOPIC.STREAM.EPOCH    appends to a topic's stream, which has a number that no other one has
///     PREFIX.r.TOPIC.STREAM.EPOCH    those that the topic is to retain
///     PREFIX.kept.[hr].TOPIC.EPOCH   what the stream sends to nodes once it has it
///     PREFIX.n.TOPIC                 notes on its numbering
///     PREFIX.i.NODE.NUMBER           answers to a node
extension NATSLanguage {
    /// A subject has neither blanks nor wildcards nor, in a token, dots: what is no letter, no digit and none of
    /// `-_/:@` is written as `=` and two hexadecimal digits.
    func appendSubject(of topic: Topic, into bytes: inout [UInt8]) {
        bytes += prefix
        NATSToken.append(topic.name, plain: NATSToken.subjectMarks, to: &bytes)
    }

    func subject(of topic: Topic) -> [UInt8] {
        var bytes: [UInt8] = []
        appendSubject(of: topic, into: &bytes)
        return bytes
    }

    func topic(of subject: UnsafeRawBufferPointer) -> Topic? {
        guard subject.count > prefix.count, unsafe subject.prefix(prefix.count).elementsEqual(prefix) else {
            return nil
        }
        return unsafe NATSToken.text(of: subject.dropFirst(prefix.count)).map { Topic($0) }
    }

    /// What nodes subscribe to for a topic with history.
    func keptSubjects(of topic: Topic) -> [UInt8] { Array("\(family("kept.*", topic)).*".utf8) }

    /// By which a topic's stream takes what is appended, with one epoch or any.
    func appendSubject(of topic: Topic, _ stream: UInt64, retain: Bool, epoch: UInt64?) -> String {
        "\(family(retain ? "r" : "h", topic)).\(stream).\(epoch.map(String.init) ?? "*")"
    }

    /// By which notes go on a topic's numbering, or on any's.
    func noteSubject(of topic: Topic?) -> String { topic.map { family("n", $0) } ?? "\(head).n.*" }

    /// What the stream of retained messages takes, of one topic or all.
    func retainedSubjects(of topic: Topic?) -> String {
        topic.map { "\(family("kept.r", $0)).*" } ?? "\(head).kept.r.*.*"
    }

    /// What a stream sends on of what it takes, and by which subjects.
    func republishing(of topic: Topic, _ stream: UInt64) -> (source: String, destination: String) {
        ("\(family("*", topic)).\(stream).*", "\(family("kept.{{wildcard(1)}}", topic)).{{wildcard(2)}}")
    }

    var inbox: String { "\(head).i.\(node)." }

    /// The prefix without its dot, which is also the name of the stream of retained messages.
    var head: String { String(decoding: prefix.dropLast(), as: UTF8.self) }

    private func family(_ kind: String, _ topic: Topic) -> String {
        var token: [UInt8] = []
        NATSToken.append(topic.name, plain: NATSToken.subjectMarks, to: &token)
        return "\(head).\(kind).\(String(decoding: token, as: UTF8.self))"
    }

    // MARK: Streams

    /// The name of a topic's stream, which is a folder's in the server: long ones are hashed. Two topics of one name
    /// cannot be told apart by it, so a stream is a topic's only if its subjects are.
    func stream(of topic: Topic) -> String {
        var bytes = Array("\(head)-".utf8)
        NATSToken.append(topic.name, plain: NATSToken.nameMarks, to: &bytes)
        guard bytes.count > 200 else { return String(decoding: bytes, as: UTF8.self) }
        let hash = topic.name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return String(decoding: bytes[..<180], as: UTF8.self) + "==" + String(hash, radix: 16)
    }

    /// The topic and the number of a stream that takes appends by this subject.
    func streamed(_ subject: String) -> (topic: Topic, stream: UInt64)? {
        subject.hasSuffix(".*") ? numbered(String(subject.dropLast(2))) : nil
    }

    /// The topic and the epoch of what a stream sends by this subject.
    func kept(_ subject: UnsafeRawBufferPointer) -> (topic: Topic, epoch: UInt64)? {
        let start = prefix + "kept.".utf8
        guard unsafe subject.starts(with: start) else { return nil }
        return unsafe numbered(head + "." + String(decoding: subject.dropFirst(start.count), as: UTF8.self))
    }

    private func numbered(_ subject: String) -> (Topic, UInt64)? {
        let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
        guard tokens.count == 4, tokens[0] == head, tokens[1] == "h" || tokens[1] == "r",
            let number = UInt64(tokens[3]), let name = NATSToken.text(of: Array(tokens[2].utf8))
        else { return nil }
        return (Topic(name), number)
    }
}

/// Any text as letters, digits and a few marks.
enum NATSToken {
    static let subjectMarks = Array("-_/:@".utf8)
    /// A stream's name has no slashes either.
    static let nameMarks = Array("-_".utf8)

    static func append(_ text: String, plain marks: [UInt8], to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            if isAlphanumeric(byte) || marks.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    /// Nil for what is no such token.
    static func text(of token: some Collection<UInt8>) -> String? {
        var text: [UInt8] = []
        var rest = token[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                text.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ digits.firstIndex(of: $0) }),
                let low = rest.popFirst().flatMap({ digits.firstIndex(of: $0) })
            else { return nil }
            text.append(UInt8(high << 4 | low))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
