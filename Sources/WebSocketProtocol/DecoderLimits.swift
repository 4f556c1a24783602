/// What a decoder takes from a peer before it calls it too much.
public struct DecoderLimits: Hashable, Sendable {
    /// Bytes of one message, summed over its fragments. More is `messageTooBig` (1009), judged as soon as a header
    /// announces it. A compressed message may have `maxDeflatedLength` before it is inflated; `Inflater.inflate` is
    /// told how long it may become.
    public var maxPayloadLength: Int
    /// Frames without payload in one fragmented message. More is `tooManyEmptyFragments` (1008): they cost work and
    /// carry nothing, and `maxPayloadLength` does not count them.
    public var maxEmptyFragments: Int

    /// By default messages of 16 MiB, with 1,024 empty fragments.
    public init(maxPayloadLength: Int = 16 << 20, maxEmptyFragments: Int = 1024) {
        self.maxPayloadLength = maxPayloadLength
        self.maxEmptyFragments = maxEmptyFragments
    }

    /// What a message of `maxPayloadLength` bytes may be deflated to by a sender that makes the worst of it: an eighth
    /// and little more, as zlib's `deflateBound` has it for any window and memory. Bytes that do not shrink stand in
    /// stored blocks, each with a head of five bytes, or in codes of up to nine bits.
    public var maxDeflatedLength: Int {
        let headroom = (maxPayloadLength >> 3) + (maxPayloadLength >> 8) + (maxPayloadLength >> 9) + 64
        let (length, isTooLong) = maxPayloadLength.addingReportingOverflow(headroom)
        return isTooLong ? .max : length
    }
}
