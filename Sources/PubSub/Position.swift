/// Where a message stands among its topic's messages: what a client keeps, to say after a pause how far it has come.
///
/// As text `epoch.offset`: `String(position)` writes it, `Position(_:)` reads it. A position means nothing to any other
/// topic; to the same topic on another server only where a cluster's engine keeps the history.
public struct Position: Hashable, Sendable {
    /// Which numbering the offset belongs to: a new one whenever a topic's numbering begins anew, such as when the
    /// server starts.
    public let epoch: UInt64
    /// The message's number: a topic's first message has 1, and each, whoever publishes it, one more than the one
    /// before.
    public let offset: UInt64

    /// Before whatever a topic still has: who subscribes after it gets all that is kept.
    public static let oldest = Position(epoch: 0, offset: 0)

    /// A position that was taken apart, in another form than text.
    public init(epoch: UInt64, offset: UInt64) { (self.epoch, self.offset) = (epoch, offset) }
}

extension Position: LosslessStringConvertible {
    /// `epoch.offset`, both in decimal.
    public var description: String { "\(epoch).\(offset)" }

    /// Reads what `description` has written; nil for anything else. For what a peer sends: any text may be given.
    public init?(_ text: String) {
        let parts = text.utf8.count <= 41 ? text.split(separator: ".", omittingEmptySubsequences: false) : []
        guard parts.count == 2, let epoch = Self.number(parts[0]), let offset = Self.number(parts[1]) else {
            return nil
        }
        self.init(epoch: epoch, offset: offset)
    }

    /// Digits alone: `UInt64(_:)` would take a sign, too.
    private static func number(_ text: Substring) -> UInt64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(text) : nil
    }
}
