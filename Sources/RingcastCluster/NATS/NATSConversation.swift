import FoundationEssentials
import Ringcast

/// What is said on one connection to NATS: the server speaks first (INFO), then the client (CONNECT), and a PING that
/// is answered shows that it was let in. The server confirms no publish by itself: the PONG for a PING behind some of
/// them does.
final class NATSConversation: EngineConversation {
    private let language: NATSLanguage
    private var reader = NATSReader()
    private var stage = Stage.silent
    private var numbers: [Topic: UInt64] = [:]
    private var lastNumber: UInt64 = 0

    private enum Stage {
        case silent, securing, greeting, open
    }

    init(_ language: NATSLanguage) { self.language = language }

    func greeting() -> [UInt8] { stage == .securing ? connect() : [] }

    /// CONNECT, and a PING whose answer says that the server agrees.
    private func connect() -> [UInt8] {
        stage = .greeting
        let encoder = JSONEncoder()
        guard let options = try? encoder.encode(NATSConnect(user: language.user, pass: language.password)) else {
            preconditionFailure("strings and booleans can be written as JSON")
        }
        return "CONNECT ".utf8 + [UInt8](options) + "\r\nPING\r\n".utf8
    }

    func read(_ bytes: UnsafeRawBufferPointer, _ tell: (EngineNews) throws(EngineFailure) -> Void)
        throws(EngineFailure)
    {
        unsafe reader.feed(bytes)
        while stage != .securing, let element = try reader.next() {
            if let payload = element.payload {
                guard stage == .open else { throw Self.earlyBytes }
                try unsafe reader.withBytes { bytes throws(EngineFailure) in
                    let line = unsafe UnsafeRawBufferPointer(rebasing: bytes[element.rest])
                    let end = unsafe line.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? line.count
                    try tell(
                        unsafe .message(
                            name: UnsafeRawBufferPointer(rebasing: line[..<end]),
                            envelope: UnsafeRawBufferPointer(rebasing: bytes[payload])))
                }
            } else if let news = try news(of: element) {
                try tell(news)
            }
        }
        if stage == .securing, !reader.isEmpty { throw Self.earlyBytes }
    }

    /// What comes before TLS may be anybody's, and must not be taken for the server's behind it.
    private static let earlyBytes = EngineFailure(reason: "NATS has said more than INFO before this client was let in")

    private func news(of element: NATSReader.Element) throws(EngineFailure) -> EngineNews? {
        switch element.verb {
        case "INFO": return try introduced(element)
        case "PING": return .answer(Array("PONG\r\n".utf8))
        case "PONG":
            guard stage == .greeting else { return .probed }
            stage = .open
            return .ready
        case "-ERR":
            throw EngineFailure(reason: "NATS says \(text(of: element))")
        case "+OK": return nil
        default: throw EngineFailure(reason: "what has come is not the protocol of NATS")
        }
    }

    /// The server has said what it is: at first, and when its cluster changes.
    private func introduced(_ element: NATSReader.Element) throws(EngineFailure) -> EngineNews? {
        guard let info = try? JSONDecoder().decode(NATSInfo.self, from: Data(text(of: element).utf8)) else {
            throw EngineFailure(reason: "what has come is not the protocol of NATS")
        }
        if let limit = info.payloadLimit { language.noteLimit(limit) }
        guard stage == .silent else { return nil }
        if language.isSecure {
            stage = .securing
            return .startTLS
        }
        guard info.isSecure != true else {
            throw EngineFailure(reason: "NATS wants TLS: the cluster's URL has to begin with tls://")
        }
        return .answer(connect())
    }

    private func text(of element: NATSReader.Element) -> String {
        unsafe reader.withBytes { unsafe String(decoding: $0[element.rest], as: UTF8.self) }
    }

    func appendInterest(_ isInterested: Bool, in topic: Topic, into bytes: inout [UInt8]) {
        if isInterested {
            guard numbers[topic] == nil else { return }
            lastNumber += 1
            numbers[topic] = lastNumber
            bytes += "SUB ".utf8
            language.appendSubject(of: topic, into: &bytes)
            bytes += " \(lastNumber)\r\n".utf8
        } else if let number = numbers.removeValue(forKey: topic) {
            bytes += "UNSUB \(number)\r\n".utf8
        }
    }

    func appendProbe(into bytes: inout [UInt8]) { bytes += "PING\r\n".utf8 }

    func topic(of name: UnsafeRawBufferPointer) -> Topic? { unsafe language.topic(of: name) }
}
