/// What a decoder takes from a peer before it calls it too much.
public struct DecoderLimits: Hashable, Sendable {
    /// Bytes of one message, summed over its fragments, before decompression. More is `messageTooBig` (1009), judged as
    /// soon as a header announces it.
    public var maxPayloadLength: Int
    /// Frames without payload in one fragmented message. More is `tooManyEmptyFragments` (1008): they cost work and
    /// carry nothing, and `maxPayloadLength` does not count them.
    public var maxEmptyFragments: Int

    /// By default 16 MiB and 1,024.
    public init(maxPayloadLength: Int = 16 << 20, maxEmptyFragments: Int = 1024) {
        self.maxPayloadLength = maxPayloadLength
        self.maxEmptyFragments = maxEmptyFragments
    }
}
