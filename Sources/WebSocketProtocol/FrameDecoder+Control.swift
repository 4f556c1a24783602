extension FrameDecoder {
    /// Takes what has arrived of a control frame's payload (RFC 6455 §5.5), and reports the frame once it is whole.
    mutating func takeControl(_ bytes: RawSpan, at range: Range<Int>) throws(ProtocolViolation) -> FrameEvent? {
        if frame.isWhole {
            stage = message == nil ? .idle : .header
            return try controlEvent(bytes, at: range)
        }
        assembly.append(bytes, announced: nil)
        guard frame.remaining == 0 else { return nil }
        stage = .lent
        if frame.opcode == .close { return try assembledClose() }
        return frame.opcode == .ping ? .ping(.assembled) : .pong(.assembled)
    }

    private func controlEvent(_ bytes: RawSpan, at range: Range<Int>) throws(ProtocolViolation) -> FrameEvent {
        switch frame.opcode {
        case .ping: return .ping(.inPlace(range))
        case .pong: return .pong(.inPlace(range))
        default:
            let code = try FrameDecoder.closeCode(of: bytes)
            return .close(code, .inPlace(range.lowerBound &+ (code == nil ? 0 : 2)..<range.upperBound))
        }
    }

    private mutating func assembledClose() throws(ProtocolViolation) -> FrameEvent {
        let code = try FrameDecoder.closeCode(of: assembly.bytes(from: lentStart))
        lentSkip = code == nil ? 0 : 2
        return .close(code, .assembled)
    }

    /// The code in the body of a Close frame, whose reason is checked too; nil if the body is empty (RFC 6455 §5.5.1,
    /// §7.1.6, §7.4).
    private static func closeCode(of body: RawSpan) throws(ProtocolViolation) -> CloseCode? {
        guard body.byteCount > 0 else { return nil }
        guard body.byteCount >= 2 else { throw .truncatedCloseCode }
        let code = CloseCode(rawValue: UInt16(bigEndian: body.integer(at: 0, as: UInt16.self)))
        guard code.isSendable else { throw .illegalCloseCode }
        guard UTF8Validator.isValid(body.extracting(droppingFirst: 2)) else { throw .invalidCloseReason }
        return code
    }
}
