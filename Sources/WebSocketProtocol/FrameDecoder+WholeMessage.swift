extension FrameDecoder {
    /// The path that nearly every frame takes: a message in one frame of less than 64 KiB that lies whole in the input.
    /// Anything else gives nil, and nothing was touched.
    @inline(__always)
    mutating func wholeMessage(
        in input: inout MutableRawSpan, at position: inout Int, limits: DecoderLimits
    ) -> FrameEvent? {
        let shortHeader = HeaderStart.length &+ role.maskingKeyLength
        let available = input.byteCount &- position
        guard available >= shortHeader &+ 2 else { return nil }
        let first = input.bytes.byte(at: position)
        let second = input.bytes.byte(at: position &+ 1)
        // FIN, no reserved bit, and the opcode text (81) or binary (82).
        guard first &- 0x81 <= 1 else { return nil }
        // With the wrong MASK bit this is more than 127.
        var length = Int(second ^ role.maskBit)
        var headerLength = shortHeader
        if length > 125 {
            guard length == 126 else { return nil }
            length = Int(UInt16(bigEndian: input.bytes.integer(at: position &+ 2, as: UInt16.self)))
            headerLength &+= 2
            guard length > 125 else { return nil }
        }
        guard headerLength &+ length <= available, length <= limits.maxPayloadLength else { return nil }
        let payloadStart = position &+ headerLength
        let end = payloadStart &+ length

        let isText = first == 0x81
        let payload = payloadStart..<end
        if role == .server {
            let mask = MaskingKey(rawValue: input.bytes.integer(at: payloadStart &- 4, as: UInt32.self))
            let isASCII = unmask(&input, in: payload, key: mask)
            position = end
            if isASCII { return .message(MessageKind(isText: isText), .inPlace(payload)) }
        }
        position = end
        if isText, !UTF8Validator.isValid(input.bytes.extracting(payload)) { return fail(.invalidText) }
        return .message(MessageKind(isText: isText), .inPlace(payload))
    }
}
