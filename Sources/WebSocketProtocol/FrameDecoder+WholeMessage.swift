extension FrameDecoder {
    /// The path that nearly every frame takes: a message in one frame of at most 125 bytes that lies whole in the input.
    /// nil: it is something else, and nothing was touched.
    @inline(__always)
    mutating func wholeMessage(
        in input: inout MutableRawSpan, at position: inout Int, limits: DecoderLimits
    ) -> FrameEvent? {
        let headerLength = HeaderStart.length &+ role.maskingKeyLength
        let payloadStart = position &+ headerLength
        guard payloadStart <= input.byteCount else { return nil }
        let first = input.bytes.byte(at: position)
        let second = input.bytes.byte(at: position &+ 1)
        // FIN, no reserved bit, and the opcode text (81) or binary (82).
        guard first &- 0x81 <= 1 else { return nil }
        // With the wrong MASK bit, or with a longer length behind it, this is more than 125.
        let length = Int(second ^ role.maskBit)
        let end = payloadStart &+ length
        guard length <= 125, end <= input.byteCount, length <= limits.maxPayloadLength else { return nil }

        let isText = first == 0x81
        let payload = payloadStart..<end
        if role == .server {
            let mask = MaskingKey(rawValue: input.bytes.integer(at: position &+ 2, as: UInt32.self))
            let isASCII = unmask(&input, in: payload, key: mask)
            position = end
            if isASCII { return .message(MessageKind(opcode: isText ? .text : .binary), .inPlace(payload)) }
        }
        position = end
        if isText, !UTF8Validator.isValid(input.bytes.extracting(payload)) { return fail(.invalidText) }
        return .message(MessageKind(opcode: isText ? .text : .binary), .inPlace(payload))
    }
}
