/// Whether and how messages are compressed (permessage-deflate, RFC 7692), in each direction by itself.
///
/// A literal will do for most: `true` is `.shared` in both directions, `false` is off. Both sides have to agree in the
/// handshake; a peer that does not know the extension is spoken to without it.
public struct PerMessageDeflate: Hashable, Sendable, ExpressibleByBooleanLiteral {
    /// What this side sends.
    public var compress: Context
    /// What this side receives. RFC 7692 knows no way to forbid a peer to compress once the extension is agreed on, so
    /// `.disable` asks for nothing here, and means `.shared` if the other direction is on.
    public var decompress: Context

    /// The extension for the given directions; with neither it is off.
    public init(compress: Context = .disable, decompress: Context = .disable) {
        self.compress = compress
        self.decompress = decompress
    }

    /// `true` is `.shared` in both directions, `false` is off.
    public init(booleanLiteral value: Bool) {
        self.init(compress: Context(booleanLiteral: value), decompress: Context(booleanLiteral: value))
    }

    /// Whether the extension is negotiated at all.
    public var isEnabled: Bool { compress != .disable || decompress != .disable }

    /// What is remembered from one message of a connection to the next ("context takeover", RFC 7692 §4.2). Remembering
    /// compresses short messages that are alike far better, and costs memory for every connection.
    @nonexhaustive public enum Context: Hashable, Sendable, ExpressibleByBooleanLiteral {
        /// Messages are not compressed.
        case disable
        /// Nothing is remembered: all connections of a loop share one compressor, or one decompressor. An idle
        /// connection costs nothing.
        case shared
        /// A window of 32 KB for each connection: 256 KB to compress, 40 KB to decompress, from the first compressed
        /// message on.
        case dedicated
        /// A window for each connection as with `dedicated`, in so many kilobytes to compress: the less memory, the
        /// smaller the window (`windowBits`). To decompress, each connection costs the window alone.
        case kilobytes3, kilobytes4, kilobytes8, kilobytes16, kilobytes32, kilobytes64, kilobytes128, kilobytes256

        /// `true` is `.shared`, `false` is `.disable`.
        public init(booleanLiteral value: Bool) { self = value ? .shared : .disable }
    }
}

extension PerMessageDeflate.Context {
    /// The logarithm of the window's size: how far back a message may refer (RFC 7692 §7.1.2).
    public var windowBits: Int {
        switch self {
        case .disable, .shared, .dedicated, .kilobytes256: 15
        case .kilobytes3, .kilobytes4: 9
        case .kilobytes8: 10
        case .kilobytes16: 11
        case .kilobytes32: 12
        case .kilobytes64: 13
        case .kilobytes128: 14
        }
    }

    /// zlib's measure of what a compressor needs beside its window, 1 to 9.
    public var memoryLevel: Int {
        switch self {
        case .disable, .shared, .dedicated, .kilobytes256: 8
        case .kilobytes3: 1
        case .kilobytes4: 2
        case .kilobytes8: 3
        case .kilobytes16: 4
        case .kilobytes32: 5
        case .kilobytes64: 6
        case .kilobytes128: 7
        }
    }

    /// Whether a connection has a window of its own.
    public var isDedicated: Bool { self != .disable && self != .shared }
}
