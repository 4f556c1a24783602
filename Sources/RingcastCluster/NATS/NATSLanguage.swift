import Ringcast
import Synchronization

/// NATS' client protocol: a topic is a subject (https://docs.nats.io/reference/reference-protocols/nats-protocol). One
/// connection does everything, and the server does not send a node its own messages (`echo: false`).
final class NATSLanguage: EngineLanguage {
    let user: String?
    let password: String?
    /// Whether TLS begins behind the server's first line.
    let isSecure: Bool
    /// The first token of subjects, and its dot.
    let prefix: [UInt8]
    /// The longest payload that the server takes: it closes the connection over a longer one.
    private let payloadLimit = Atomic(1 << 20)

    init(user: String?, password: String?, isSecure: Bool, prefix: String) {
        (self.user, self.password, self.isSecure) = (user, password, isSecure)
        self.prefix = Array("\(prefix).".utf8)
    }

    var purposes: [LinkPurpose] { [[.publishing, .receiving]] }

    var confirmsPublishes: Bool { false }
    var beginsWithTLS: Bool { false }
    var longestEnvelope: Int { payloadLimit.load(ordering: .relaxed) }

    func noteLimit(_ bytes: Int) { payloadLimit.store(max(1, bytes), ordering: .relaxed) }

    func appendPublish(
        _ header: [UInt8], _ payload: UnsafeRawBufferPointer, to topic: Topic, into bytes: inout [UInt8]
    ) {
        bytes += "PUB ".utf8
        appendSubject(of: topic, into: &bytes)
        bytes += " \(header.count + payload.count)\r\n".utf8
        bytes += header
        unsafe bytes.append(contentsOf: payload)
        bytes += "\r\n".utf8
    }

    func makeConversation(for purpose: LinkPurpose) -> any EngineConversation { NATSConversation(self) }

    // MARK: Subjects

    /// A subject has neither blanks nor wildcards nor, in a token, dots: what is no letter, no digit and none of
    /// `-_/:@` is written as `=` and two hexadecimal digits.
    func appendSubject(of topic: Topic, into bytes: inout [UInt8]) {
        bytes += prefix
        for byte in topic.name.utf8 {
            if Self.isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "="), Self.digits[Int(byte >> 4)], Self.digits[Int(byte & 15)]]
            }
        }
    }

    func topic(of subject: UnsafeRawBufferPointer) -> Topic? {
        guard subject.count > prefix.count, unsafe subject.prefix(prefix.count).elementsEqual(prefix) else {
            return nil
        }
        var name: [UInt8] = []
        var rest = unsafe subject.dropFirst(prefix.count)
        while let byte = unsafe rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                name.append(byte)
                continue
            }
            guard let high = unsafe rest.popFirst().flatMap({ Self.digits.firstIndex(of: $0) }),
                let low = unsafe rest.popFirst().flatMap({ Self.digits.firstIndex(of: $0) })
            else { return nil }
            name.append(UInt8(high << 4 | low))
        }
        return Topic(String(decoding: name, as: UTF8.self))
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-_/:@".utf8.contains(byte)
        }
    }
}

/// What a server says of itself.
struct NATSInfo: Decodable {
    let isSecure: Bool?
    let payloadLimit: Int?

    enum CodingKeys: String, CodingKey {
        case isSecure = "tls_required"
        case payloadLimit = "max_payload"
    }
}

/// What a client says of itself.
struct NATSConnect: Encodable {
    let user: String?
    let pass: String?
    let verbose = false
    let pedantic = false
    let echo = false
    let name = "ringcast"
    let lang = "swift"
    let version = "1"
    /// 1: the server may tell later of other servers.
    let `protocol` = 1
}
