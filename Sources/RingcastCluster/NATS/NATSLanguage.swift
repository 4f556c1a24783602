import Ringcast
import Synchronization

/// NATS' client protocol: a topic is a subject (https://docs.nats.io/reference/reference-protocols/nats-protocol). One
/// connection does everything but histories, and the server does not send a node its own messages (`echo: false`).
final class NATSLanguage: EngineLanguage {
    let user: String?
    let password: String?
    /// Whether TLS begins behind the server's first line.
    let isSecure: Bool
    /// The first token of subjects, and its dot.
    let prefix: [UInt8]
    /// The name of the node that speaks.
    let node: String
    /// Says whether a topic that the node asks for has a history; nil where none has.
    private let history: (@Sendable (Topic) -> Bool)?
    /// Milliseconds since 1970.
    let clock: @Sendable () -> UInt64
    /// The longest payload that the server takes: it closes the connection over a longer one.
    private let payloadLimit = Atomic(1 << 20)

    init(
        user: String?, password: String?, isSecure: Bool, prefix: String, node: String = "",
        history: (@Sendable (Topic) -> Bool)? = nil, clock: @escaping @Sendable () -> UInt64 = { JSON.now }
    ) {
        (self.user, self.password, self.isSecure) = (user, password, isSecure)
        self.prefix = Array("\(prefix).".utf8)
        (self.node, self.history, self.clock) = (node, history, clock)
    }

    var purposes: [LinkPurpose] {
        [[.publishing, .receiving]] + (history == nil ? [] : [.remembering])
    }

    var confirmsPublishes: Bool { false }
    var beginsWithTLS: Bool { false }
    var longestEnvelope: Int { payloadLimit.load(ordering: .relaxed) }

    func noteLimit(_ bytes: Int) { payloadLimit.store(max(1, bytes), ordering: .relaxed) }

    func isKept(_ topic: Topic) -> Bool { history?(topic) ?? false }

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

    func makeConversation(for purpose: LinkPurpose) -> any EngineConversation {
        purpose == .remembering ? JetStreamConversation(self) : NATSConversation(self)
    }
}
