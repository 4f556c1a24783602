import WebSocketProtocol

/// Reads the frames of a server, each with a copy of its payload.
struct FrameReader: ~Copyable {
    private static let limits = DecoderLimits(maxPayloadLength: .max)
    private var decoder: FrameDecoder

    init(allowsCompression: Bool = false) {
        decoder = FrameDecoder(role: .client, allowsCompression: allowsCompression)
    }

    mutating func next(in input: inout MutableRawSpan, at position: inout Int) -> (event: FrameEvent, bytes: [UInt8])? {
        guard let event = decoder.next(in: &input, at: &position, limits: Self.limits) else { return nil }
        return (event, Self.bytes(of: event, input: input.bytes, assembled: decoder.assembled))
    }

    private static func bytes(of event: FrameEvent, input: RawSpan, assembled: RawSpan) -> [UInt8] {
        switch event {
        case .message(_, .inPlace(let range)), .ping(.inPlace(let range)), .pong(.inPlace(let range)),
            .close(_, .inPlace(let range)):
            return input.extracting(range).array
        case .message, .ping, .pong, .close: return assembled.array
        case .violation: return []
        }
    }
}
