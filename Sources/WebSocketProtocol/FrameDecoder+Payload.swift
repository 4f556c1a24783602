extension FrameDecoder {
    /// Takes what has arrived of the current frame's payload. Gives nil when the frame is not complete (the stage is
    /// still `payload` then), or the message it belongs to is not.
    mutating func takePayload(
        _ input: inout MutableRawSpan, at position: inout Int
    ) throws(ProtocolViolation) -> FrameEvent? {
        let arrived = min(frame.remaining, input.byteCount &- position)
        let range = position..<position &+ arrived
        var isASCII = false
        if role == .server {
            isASCII = unmask(&input, in: range, key: frame.mask)
            frame.mask = frame.mask.advanced(by: arrived)
        }
        position &+= arrived
        frame.remaining &-= arrived
        return frame.opcode.isControl
            ? try takeControl(input.bytes.extracting(range), at: range)
            : try takeData(input.bytes.extracting(range), at: range, isASCII: isASCII)
    }

    private mutating func takeData(
        _ bytes: RawSpan, at range: Range<Int>, isASCII: Bool
    ) throws(ProtocolViolation) -> FrameEvent? {
        guard let kind = message else { preconditionFailure("a data frame belongs to a message") }
        let isCheckedText = kind.isText && !kind.isCompressed
        // RFC 6455 §8.1. Bytes that are all ASCII need no look, unless they cut a character short.
        if isCheckedText, !(isASCII && validator.isComplete) {
            guard validator.consume(bytes) else { throw .invalidText }
        }
        let isLast = frame.isFinal && frame.remaining == 0
        if isLast, isCheckedText, !validator.isComplete { throw .invalidText }

        if isLast, frame.isWhole, frame.opcode != .continuation {
            message = nil
            stage = .idle
            return .message(kind, .inPlace(range))
        }
        assembly.append(bytes, announced: frame.isFinal ? frame.remaining : nil)
        guard frame.remaining == 0 else { return nil }
        guard isLast else {
            stage = .header
            return nil
        }
        message = nil
        stage = .lent
        return .message(kind, .assembled)
    }

    /// Forgets the bytes that the last event lent out; those of a message under way stay.
    mutating func dropLent() {
        guard stage == .lent else { return }
        assembly.truncate(to: lentStart)
        lentStart = 0
        lentSkip = 0
        stage = message == nil ? .idle : .header
    }
}
