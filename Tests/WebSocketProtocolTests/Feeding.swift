import Testing
import WebSocketProtocol

/// An event with its bytes, so that it can be compared however they were delivered.
enum Seen: Hashable {
    case text([UInt8], compressed: Bool = false)
    case binary([UInt8], compressed: Bool = false)
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, [UInt8])
    case violation(ProtocolViolation)

    static func text(_ text: String) -> Seen { .text(Array(text.utf8)) }
}

/// What a test lets a decoder be.
struct Setting {
    var role = Role.server
    var allowsCompression = false
    var limits = DecoderLimits()
}

/// Feeds the pieces one after the other to one decoder, and gives what it saw up to the first violation.
func decode(_ pieces: [[UInt8]], _ setting: Setting = Setting()) -> [Seen] {
    var decoder = FrameDecoder(role: setting.role, allowsCompression: setting.allowsCompression)
    var seen: [Seen] = []
    for var piece in pieces {
        var span = piece.mutableSpan
        var input = span.raw
        var position = 0
        while let event = decoder.next(in: &input, at: &position, limits: setting.limits) {
            seen.append(describe(event, input: input.bytes, assembled: decoder.assembled))
            if case .violation = event { return seen }
        }
        precondition(position == input.byteCount, "input was left, but no event")
    }
    return seen
}

private func describe(_ event: FrameEvent, input: RawSpan, assembled: RawSpan) -> Seen {
    func bytes(of payload: Payload) -> [UInt8] {
        switch payload {
        case .inPlace(let range): copy(input.extracting(range))
        case .assembled: copy(assembled)
        }
    }
    switch event {
    case .message(let kind, let payload):
        return kind.isText
            ? .text(bytes(of: payload), compressed: kind.isCompressed)
            : .binary(bytes(of: payload), compressed: kind.isCompressed)
    case .ping(let payload): return .ping(bytes(of: payload))
    case .pong(let payload): return .pong(bytes(of: payload))
    case .close(let code, let payload): return .close(code?.rawValue, bytes(of: payload))
    case .violation(let violation): return .violation(violation)
    }
}

func copy(_ bytes: RawSpan) -> [UInt8] { unsafe bytes.withUnsafeBytes { unsafe Array($0) } }

/// Expects the same events of the bytes whole, split in two at every position, and one by one.
func expect(
    _ bytes: [UInt8], gives expected: [Seen], _ setting: Setting = Setting(),
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(decode([bytes], setting) == expected, "whole", sourceLocation: sourceLocation)
    for split in bytes.indices.dropFirst() {
        let seen = decode([Array(bytes[..<split]), Array(bytes[split...])], setting)
        guard seen != expected else { continue }
        #expect(seen == expected, "split at \(split)", sourceLocation: sourceLocation)
        return
    }
    #expect(decode(bytes.map { [$0] }, setting) == expected, "byte by byte", sourceLocation: sourceLocation)
}

func expect(
    _ frame: Frame, gives expected: Seen, _ setting: Setting = Setting(),
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expect(frame.bytes, gives: [expected], setting, sourceLocation: sourceLocation)
}

/// A small generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
