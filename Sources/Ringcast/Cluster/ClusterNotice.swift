import PubSub

/// What nodes say to each other beside messages, on topics that users' messages do not cross on. Anybody who may
/// publish to the engine can say anything: what makes no sense is nil.
enum ClusterNotice: Equatable {
    /// A node is there, with so many open sockets.
    case here(node: String, sockets: Int)
    /// A node has stopped.
    case gone(node: String)
    case question(asker: String, number: UInt64, ClusterQuestion)
    /// A part of an answer, in what form depends on the question.
    case answer(node: String, number: UInt64, isLast: Bool, part: [UInt8])

    /// What all nodes hear.
    static let all: Topic = "\u{0}ringcast/all"

    /// What one node hears.
    static func topic(of node: String) -> Topic { Topic("\u{0}ringcast/\(node)") }

    /// Whether a topic is one of these.
    static func isReserved(_ topic: Topic) -> Bool { topic.name.utf8.starts(with: "\u{0}ringcast/".utf8) }

    var bytes: [UInt8] {
        switch self {
        case .here(let node, let sockets): Self.fields("here", node, "\(sockets)")
        case .gone(let node): Self.fields("gone", node)
        case .question(let asker, let number, let question):
            Self.fields("ask", asker, "\(number)", question.kind.rawValue, question.topic.name)
        case .answer(let node, let number, let isLast, let part):
            Self.fields("say", node, "\(number)", isLast ? "last" : "more") + Netstring.write(part)
        }
    }

    private static func fields(_ texts: String...) -> [UInt8] { texts.flatMap { Netstring.write($0.utf8) } }

    init?(_ bytes: [UInt8]) {
        guard let fields = Netstring.read(bytes[...]), fields.count >= 2 else { return nil }
        let texts = fields.prefix(5).map { String(decoding: $0, as: UTF8.self) }
        guard ClusterNode.isID(texts[1].utf8) else { return nil }
        switch (texts[0], fields.count) {
        case ("here", 3):
            guard let sockets = Int(texts[2]), 0..<1 << 40 ~= sockets else { return nil }
            self = .here(node: texts[1], sockets: sockets)
        case ("gone", 2): self = .gone(node: texts[1])
        case ("ask", 5):
            guard let number = UInt64(texts[2]), let kind = ClusterQuestion.Kind(rawValue: texts[3]) else { return nil }
            self = .question(asker: texts[1], number: number, ClusterQuestion(kind: kind, topic: Topic(texts[4])))
        case ("say", 5):
            guard let number = UInt64(texts[2]) else { return nil }
            self = .answer(node: texts[1], number: number, isLast: texts[3] == "last", part: Array(fields[4]))
        default: return nil
        }
    }
}

/// What a node can be asked.
struct ClusterQuestion: Equatable {
    enum Kind: String {
        /// How many subscribe: a number.
        case subscribers
        /// Who is there: of each its identity, how many sockets, and what it says of itself, if anything.
        case presence
    }

    let kind: Kind
    let topic: Topic
}

/// Byte strings in a row, each as its length in decimal, a colon, itself, and a comma.
enum Netstring {
    static func write(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Array("\(bytes.count):".utf8) + bytes + [UInt8(ascii: ",")]
    }

    /// Nil where the bytes are no such row.
    static func read(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        var rest = bytes
        var strings: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            guard let colon = rest.prefix(9).firstIndex(of: UInt8(ascii: ":")),
                rest[..<colon].allSatisfy({ (0x30...0x39).contains($0) }),
                let count = Int(String(decoding: rest[..<colon], as: UTF8.self)), rest.endIndex - colon - 2 >= count,
                rest[colon + 1 + count] == UInt8(ascii: ",")
            else { return nil }
            strings.append(rest[(colon + 1)..<(colon + 1 + count)])
            rest = rest[(colon + 2 + count)...]
        }
        return strings
    }
}
