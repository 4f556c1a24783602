import FuzzSupport
@testable import HTTPProtocol
import HTTPTypes

/// Bodies of requests: chunked ones above all, and those of a length.
enum ChunkedBodies {
    private struct Outcome: Equatable {
        var data: [UInt8] = []
        var end: BodyEvent?
        var consumed = 0
    }

    static func run(_ input: inout FuzzInput) {
        let limit = input.element(of: [Int.max, 0, 1, 20, 4096])
        let kind = input.number(below: 8)
        let framing: BodyFraming = kind == 1 ? .none : kind == 2 ? .length(1 + Int(input.byte())) : .chunked
        let bytes = input.remainder()
        let outcome = replay(bytes) { decode($0, framing, limit) }
        require(outcome.data.count <= limit, "\(outcome.data.count) bytes where \(limit) are allowed")
        if case .length(let length) = framing, length <= limit {
            require(outcome.data.elementsEqual(bytes.prefix(length)), "other bytes than were sent")
            require((outcome.end == .end) == (bytes.count >= length), "a body of \(length) ends elsewhere")
        }
        guard framing == .chunked else { return }
        switch outcome.end {
        case .end:
            guard let expected = referenceBody(bytes) else { fatalError("accepted, against the grammar") }
            require(expected.data == outcome.data, "other bytes than were sent")
            require(expected.consumed == outcome.consumed, "\(outcome.consumed) of \(expected.consumed) consumed")
            let again = decode(.whole(encoded(outcome.data)), framing, limit)
            require(again.end == .end && again.data == outcome.data, "otherwise when it is written again")
        case .refused(let refusal):
            require([400, 413, 431].contains(refusal.status.code), "refused with \(refusal)")
        default: require(referenceBody(bytes) == nil, "a whole body is awaited")
        }
    }

    private static func decode(_ pieces: Pieces, _ framing: BodyFraming, _ limit: Int) -> Outcome {
        var decoder = BodyDecoder(framing: framing, limit: limit)
        var outcome = Outcome()
        for piece in pieces {
            let input = piece.span.bytes
            var position = 0
            var before = 0
            while let event = decoder.next(in: input, at: &position) {
                require(
                    before <= position && position <= piece.count, "the position went from \(before) to \(position)")
                guard case .data(let range) = event else {
                    let end = position
                    require(decoder.next(in: input, at: &position) == event && position == end, "it ends twice")
                    outcome.end = event
                    outcome.consumed += position
                    return outcome
                }
                require(before <= range.lowerBound && range.upperBound == position && !range.isEmpty, "data: \(range)")
                outcome.data += piece[range]
                before = position
            }
            require(position == piece.count, "more is needed, but \(piece.count - position) bytes are left")
            outcome.consumed += position
        }
        return outcome
    }

    private static func encoded(_ data: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = data[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(1 + rest.count / 2)
            rest = rest.dropFirst(chunk.count)
            bytes += Array((String(chunk.count, radix: 16) + "\r\n").utf8) + chunk + [0x0D, 0x0A]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    /// A chunked body read line by line (RFC 9112 §7.1), wider than the decoder in what lines may hold; nil: it is no
    /// whole one.
    private static func referenceBody(_ bytes: [UInt8]) -> (data: [UInt8], consumed: Int)? {
        var rest = bytes[...]
        var data: [UInt8] = []
        func line() -> ArraySlice<UInt8>? {
            guard let end = rest.indices.first(where: { rest[$0...].starts(with: [0x0D, 0x0A]) }) else { return nil }
            defer { rest = rest[(end + 2)...] }
            return rest[..<end]
        }
        while let head = line() {
            let digits = head.prefix { $0.hexadecimalDigit != nil }
            let behind = head.dropFirst(digits.count).drop { $0.isBlank }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16),
                behind.isEmpty ? head.count == digits.count : behind.first == UInt8(ascii: ";")
            else { return nil }
            if size == 0 {
                while let trailer = line() {
                    if trailer.isEmpty { return (data, rest.startIndex) }
                    guard let colon = trailer.firstIndex(of: UInt8(ascii: ":")), colon > trailer.startIndex,
                        trailer[..<colon].allSatisfy(\.isToken)
                    else { return nil }
                }
                return nil
            }
            guard size <= rest.count - 2 else { return nil }
            data += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard rest.starts(with: [0x0D, 0x0A]) else { return nil }
            rest = rest.dropFirst(2)
        }
        return nil
    }
}
