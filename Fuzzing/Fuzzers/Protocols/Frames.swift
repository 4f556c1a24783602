import FuzzSupport
@testable import WebSocketProtocol

/// What a decoder has to be told, and what it is compared by.
struct FrameSetting {
    var role: Role
    var allowsCompression = false
    var limits = DecoderLimits()
}

/// An event with its bytes, so that it can be compared however they came.
enum SeenFrame: Equatable {
    case message(isText: Bool, isCompressed: Bool, [UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, [UInt8])
    case violation(ProtocolViolation)
}

/// Frames as a server gets them, or a client.
enum Frames {
    static func run(_ input: inout FuzzInput, role: Role) {
        let setting = FrameSetting(
            role: role, allowsCompression: input.bool(),
            limits: DecoderLimits(
                maxPayloadLength: input.element(of: [400, 1, 50, 70_000]),
                maxEmptyFragments: input.element(of: [1024, 1, 3])))
        check(input.remainder(), setting)
    }

    static func check(_ bytes: [UInt8], _ setting: FrameSetting) {
        let seen = replay(bytes) { decode($0, setting) }
        let expected = FrameReference.decode(bytes, setting)
        require(seen == expected, "\(seen), and by the RFC \(expected)")
        for case .message(_, let isCompressed, let payload) in seen {
            let most = isCompressed ? setting.limits.maxDeflatedLength : setting.limits.maxPayloadLength
            require(payload.count <= most, "a message of \(payload.count) bytes")
        }
        let frames = seen.filter { if case .violation = $0 { false } else { true } }
        let again = decode(.whole(encoded(frames, setting.role)), setting)
        require(again == frames, "\(again) when it is written again, and \(frames) before")
        checkMemory(of: bytes, setting)
    }

    static func decode(_ pieces: Pieces, _ setting: FrameSetting) -> [SeenFrame] {
        var decoder = FrameDecoder(role: setting.role, allowsCompression: setting.allowsCompression)
        var seen: [SeenFrame] = []
        for var piece in pieces {
            var span = piece.mutableSpan
            var input = span.mutableBytes
            var position = 0
            var before = 0
            while let event = decoder.next(in: &input, at: &position, limits: setting.limits) {
                require(before <= position && position <= input.byteCount, "position \(before), then \(position)")
                seen.append(describe(event, input: input.bytes, before..<position, decoder.assembled))
                before = position
                guard case .violation = event else { continue }
                require(decoder.next(in: &input, at: &position, limits: setting.limits) == event, "it fails twice")
                require(before == position, "behind a violation something is consumed")
                return seen
            }
            require(position == input.byteCount, "more is needed, but \(input.byteCount - position) bytes are left")
            require(decoder.expectedByteCount >= 0 && decoder.assembled.byteCount == 0, "it lends without an event")
        }
        return seen
    }

    private static func describe(
        _ event: FrameEvent, input: RawSpan, _ consumed: Range<Int>, _ assembled: RawSpan
    ) -> SeenFrame {
        func bytes(of payload: Payload) -> [UInt8] {
            guard case .inPlace(let range) = payload else { return assembled.withUnsafeBytes { Array($0) } }
            require(consumed.lowerBound < range.lowerBound && range.upperBound == consumed.upperBound, "\(range)")
            return input.extracting(range).withUnsafeBytes { Array($0) }
        }
        switch event {
        case .message(let kind, let payload):
            return .message(isText: kind.isText, isCompressed: kind.isCompressed, bytes(of: payload))
        case .ping(let payload): return .ping(bytes(of: payload))
        case .pong(let payload): return .pong(bytes(of: payload))
        case .close(let code, let payload): return .close(code?.rawValue, bytes(of: payload))
        case .violation(let violation): return .violation(violation)
        }
    }

    private static func encoded(_ frames: [SeenFrame], _ role: Role) -> [UInt8] {
        frames.flatMap { frame -> [UInt8] in
            switch frame {
            case .message(let isText, let isCompressed, let payload):
                FrameWriting.frame(isText ? .text : .binary, payload, to: role, isCompressed: isCompressed)
            case .ping(let payload): FrameWriting.frame(.ping, payload, to: role)
            case .pong(let payload): FrameWriting.frame(.pong, payload, to: role)
            case .close(let code, let reason):
                FrameWriting.frame(
                    .close, (code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []) + reason, to: role)
            case .violation: []
            }
        }
    }

    /// What a decoder holds is bounded by what came, not by what was announced; and idle or failed it holds nothing.
    private static func checkMemory(of bytes: [UInt8], _ setting: FrameSetting) {
        let before = heapByteCount()
        var decoder = FrameDecoder(role: setting.role, allowsCompression: setting.allowsCompression)
        var fed = 0
        while fed < bytes.count {
            var piece = Array(bytes[fed..<min(fed + 11, bytes.count)])
            fed += piece.count
            var hasFailed = false
            do {
                var span = piece.mutableSpan
                var input = span.mutableBytes
                var position = 0
                while let event = decoder.next(in: &input, at: &position, limits: setting.limits), !hasFailed {
                    if case .violation = event { hasFailed = true }
                }
            }
            let held = heapByteCount() - before - (32 + piece.count)
            if hasFailed || decoder.isIdle {
                require(held <= 16, "\(held) bytes are held idle")
            } else {
                require(held <= max(2 * fed, 256) + 16, "\(held) bytes are held of \(fed)")
            }
            if hasFailed { return }
        }
    }
}
