// RingcastCluster: topics of several servers over an engine. `Cluster.redis` and `Cluster.nats` make an
// `EngineBackplane`, which has a loop of its own: publishers write commands into its `Outbox`, the loop (`EngineLoop`)
// sends them over its `EngineLink`s and hands what comes to the `ClusterNode`. What an engine speaks is an
// `EngineLanguage`: bytes and events in, bytes and events out (`Redis/`, `NATS/`). `InMemoryEngine` needs none of it.

import Ringcast

/// What an engine speaks, as far as publishers and connections need it. Shared by all threads.
protocol EngineLanguage: Sendable {
    /// The connections that a node has, by what each is for. All of them are up, or the engine is away.
    var purposes: [LinkPurpose] { get }

    /// The longest envelope that the engine takes, in bytes.
    var longestEnvelope: Int { get }

    /// Whether each publish is answered; if not, the answer to a probe behind it says that it came.
    var confirmsPublishes: Bool { get }

    /// Whether TLS comes before everything else, and not when the engine says so.
    var beginsWithTLS: Bool { get }

    /// Appends the command that publishes an envelope, given in two parts.
    func appendPublish(
        _ header: [UInt8], _ payload: UnsafeRawBufferPointer, to topic: Topic, into bytes: inout [UInt8])

    /// Begins to speak on a new connection.
    func makeConversation(for purpose: LinkPurpose) -> any EngineConversation
}

/// What a connection to an engine is for.
struct LinkPurpose: OptionSet {
    let rawValue: UInt8
    /// Publishes are sent on it.
    static let publishing = LinkPurpose(rawValue: 1)
    /// Messages of other nodes come on it.
    static let receiving = LinkPurpose(rawValue: 2)
    /// Histories are written and read on it.
    static let remembering = LinkPurpose(rawValue: 4)
}

/// What is said on one connection. Belongs to the backplane's loop.
protocol EngineConversation: AnyObject {
    /// What is said first, before the engine has said anything; more follows as `EngineNews.answer`.
    func greeting() -> [UInt8]

    /// Reads what the engine has said, and tells what that means; what a message lies in is lent for the call alone.
    /// - Throws: why nothing more can be said on this connection.
    func read(_ bytes: UnsafeRawBufferPointer, _ tell: (EngineNews) throws(EngineFailure) -> Void)
        throws(EngineFailure)

    /// Appends what has the engine send a topic, or no longer.
    func appendInterest(_ isInterested: Bool, in topic: Topic, into bytes: inout [UInt8])

    /// Appends what has the engine write to a history, or read it.
    func appendRequest(_ request: HistoryRequest, into bytes: inout [UInt8])

    /// Appends what the engine answers with `probed`, behind everything that was said before.
    func appendProbe(into bytes: inout [UInt8])

    /// What a message's envelope was published to.
    func topic(of name: UnsafeRawBufferPointer) -> Topic?
}

extension EngineConversation {
    func appendRequest(_ request: HistoryRequest, into bytes: inout [UInt8]) {
        preconditionFailure("this engine does not remember")
    }
}

/// What an engine has said.
@safe enum EngineNews {
    /// It knows who speaks, and takes commands.
    case ready
    /// It expects these bytes next.
    case answer([UInt8])
    /// It goes on over TLS.
    case startTLS
    /// A message of some node, this one or another.
    case message(name: UnsafeRawBufferPointer, envelope: UnsafeRawBufferPointer)
    /// A message of a history, with its number.
    case kept([UInt8], at: Position, of: Topic)
    /// It sends a topic with history from now on.
    case following(Topic)
    /// It has done what was asked of a history first, of what it has not answered yet.
    case remembered(HistoryAnswer)
    /// It has a publish.
    case confirmed
    /// It has refused a publish.
    case refused(String)
    /// It has come to a probe.
    case probed
}

/// Why a connection to an engine is of no use, in a sentence without secrets.
struct EngineFailure: Error, Equatable {
    let reason: String
}

/// What travels with a message: the kind of the message and the node that published it, so that it is not handed to
/// its subscribers twice. One letter and 16 hexadecimal digits.
@safe struct Envelope {
    static let headerByteCount = 17

    static func header(isText: Bool, node: String) -> [UInt8] { [UInt8]((isText ? "t" : "b").utf8) + node.utf8 }

    let isText: Bool
    let node: UnsafeRawBufferPointer
    let payload: UnsafeRawBufferPointer

    /// Nil for what no node has sent: anybody may publish to a channel of the engine.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerByteCount else { return nil }
        switch unsafe bytes[0] {
        case UInt8(ascii: "t"): isText = true
        case UInt8(ascii: "b"): isText = false
        default: return nil
        }
        unsafe node = UnsafeRawBufferPointer(rebasing: bytes[1..<Self.headerByteCount])
        guard unsafe ClusterNode.isID(node) else { return nil }
        unsafe payload = UnsafeRawBufferPointer(rebasing: bytes[Self.headerByteCount...])
    }
}
