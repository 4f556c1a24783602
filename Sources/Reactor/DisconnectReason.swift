/// Why a connection is over.
@nonexhaustive public enum DisconnectReason: Hashable, Sendable {
    /// `close` or `abort` was called here.
    case local
    /// The peer closed or reset it.
    case peer
    /// The peer took nothing for the write-stall time while bytes waited.
    case stalled
    /// The kernel reported this errno.
    case error(Int32)

    /// `EPROTO`, for a TLS session that broke.
    static let protocolError = DisconnectReason.error(71)
}
