extension FrameDecoder {
    /// Takes the frames that `wholeMessage` does not: header, payload, and on until there is an event or no more input.
    mutating func decode(
        _ input: inout MutableRawSpan, at position: inout Int, limits: DecoderLimits
    ) throws(ProtocolViolation) -> FrameEvent? {
        dropLent()
        while true {
            if stage != .payload {
                guard let header = try takeHeader(input.bytes, at: &position) else { break }
                try begin(header, limits: limits)
                frame.isWhole = frame.isWhole && frame.remaining <= input.byteCount &- position
            }
            if let event = try takePayload(&input, at: &position) { return event }
            if stage == .payload { break }
        }
        // The input is used up. Memory kept for the next message is given back; an idle connection owns none.
        if assembly.count == 0 { assembly.release() }
        return nil
    }

    /// The next header, once it is whole. Its first two bytes are judged as soon as they are there.
    private mutating func takeHeader(
        _ bytes: RawSpan, at position: inout Int
    ) throws(ProtocolViolation) -> ReceivedHeader? {
        let available = bytes.byteCount &- position
        if partialHeader.isEmpty, available >= HeaderStart.length {
            let start = HeaderStart(bytes, at: position)
            if available >= start.headerLength {
                try check(start)
                defer { position &+= start.headerLength }
                frame.isWhole = true
                return ReceivedHeader(bytes, at: position)
            }
        }
        frame.isWhole = false
        while position < bytes.byteCount {
            partialHeader.append(bytes.byte(at: position))
            position &+= 1
            stage = .header
            if let start = partialHeader.start { try check(start) }
            if let header = partialHeader.header {
                partialHeader.removeAll()
                return header
            }
        }
        return nil
    }

    /// The rules that two bytes can break.
    private func check(_ start: HeaderStart) throws(ProtocolViolation) {
        guard !start.hasReservedBits else { throw .reservedBits }
        guard let opcode = start.opcode else { throw .reservedOpcode }
        switch opcode {
        case .text, .binary:
            // RFC 7692 §6: only the first frame of a message says that it is compressed.
            guard !start.isCompressed || allowsCompression else { throw .reservedBits }
            guard message == nil else { throw .interruptedMessage }
        case .continuation:
            guard !start.isCompressed else { throw .reservedBits }
            guard message != nil else { throw .unexpectedContinuation }
        case .close, .ping, .pong:
            guard !start.isCompressed else { throw .reservedBits }
            guard start.isFinal else { throw .fragmentedControlFrame }
            guard start.lengthByte <= 125 else { throw .controlFrameTooLong }
        }
        // RFC 6455 §5.1: a client masks every frame, a server none.
        guard start.isMasked == (role == .server) else { throw role == .server ? .unmaskedFrame : .maskedFrame }
    }

    /// Judges the length, and makes the frame the current one.
    private mutating func begin(_ header: ReceivedHeader, limits: DecoderLimits) throws(ProtocolViolation) {
        let opcode = header.start.opcode ?? .continuation
        guard header.payloadLength <= UInt64(Int.max) else { throw .negativeLength }
        guard header.isLengthMinimal else { throw .nonMinimalLength }
        let length = Int(header.payloadLength)
        if opcode.isControl {
            lentStart = assembly.count
        } else {
            // Earlier fragments have all been assembled, so that `assembly` is as long as all of them together.
            let isCompressed = message?.isCompressed ?? header.start.isCompressed
            let most = isCompressed ? limits.maxDeflatedLength : limits.maxPayloadLength
            guard length <= most &- assembly.count else { throw .messageTooBig }
            if opcode != .continuation {
                message = MessageKind(opcode: opcode, isCompressed: header.start.isCompressed)
                validator = UTF8Validator()
                emptyFragments = 0
            }
            if length == 0, !(header.start.isFinal && opcode != .continuation) {
                emptyFragments += 1
                guard Int(emptyFragments) <= limits.maxEmptyFragments else { throw .tooManyEmptyFragments }
            }
            lentStart = 0
        }
        frame.opcode = opcode
        frame.isFinal = header.start.isFinal
        frame.mask = header.mask
        frame.remaining = length
        stage = .payload
    }
}
