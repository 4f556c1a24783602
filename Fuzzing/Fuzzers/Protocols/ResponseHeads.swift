import FuzzSupport
@testable import HTTPProtocol
import HTTPTypes

/// Response heads, as a client gets them.
enum ResponseHeads {
    static func run(_ input: inout FuzzInput) {
        var limits = RequestLimits()
        limits.headBytes = input.element(of: [16 << 10, 1, 40, 300])
        limits.fieldCount = input.element(of: [100, 1, 3])
        let bytes = input.remainder()
        switch replayGrowing(bytes, { parse(bytes, arriving: $0, limits) }) {
        case .incomplete: require(bytes.count < limits.headBytes, "a head over the limit is awaited")
        case .malformed(let what): require(!what.isEmpty, "nothing is said to be wrong")
        case .complete(let head):
            require(head.byteCount <= min(bytes.count, limits.headBytes), "the head is \(head.byteCount) bytes long")
            require(100...999 ~= head.status, "status \(head.status)")
            require(head.fields.count <= limits.fieldCount, "\(head.fields.count) fields")
            require(bytes[..<head.byteCount].suffix(4) == [0x0D, 0x0A, 0x0D, 0x0A], "it ends without an empty line")
            let less = Array(bytes[..<(head.byteCount - 1)])
            require(parse(less, arriving: [less.count], limits) == .incomplete, "complete before its last byte")
            checkEncodedAgain(head)
            readBody(of: head, bytes)
        }
    }

    private static func parse(
        _ bytes: [UInt8], arriving counts: [Int], _ limits: RequestLimits
    ) -> ResponseHeadResult {
        var parser = ResponseHeadParser(limits: limits)
        for count in counts {
            let result = parser.parse(bytes.span.bytes.extracting(first: count))
            if result != .incomplete { return result }
        }
        return .incomplete
    }

    private static func checkEncodedAgain(_ head: ResponseHead) {
        var text = "HTTP/1.\(head.isHTTP11 ? 1 : 0) \(head.status) \(head.reason)\r\n"
        for field in head.fields { text += "\(field.name.rawName): \(field.value)\r\n" }
        let encoded = Array((text + "\r\n").utf8)
        // What was not UTF-8 is longer now.
        let limits = RequestLimits(headBytes: 1 << 20)
        guard case .complete(var again) = parse(encoded, arriving: [encoded.count], limits) else {
            fatalError("malformed when it is written again: \(text)")
        }
        require(again.byteCount == encoded.count, "it ends elsewhere when it is written again")
        again.byteCount = head.byteCount
        require(again == head, "\(again) when it is written again, and \(head) before")
    }

    private static func readBody(of head: ResponseHead, _ bytes: [UInt8]) {
        guard let framing = head.bodyFraming else { return }
        var decoder = BodyDecoder(framing: framing, limit: .max)
        var position = head.byteCount
        while case .data(let range)? = decoder.next(in: bytes.span.bytes, at: &position) {
            require(head.byteCount <= range.lowerBound && range.upperBound == position, "data: \(range)")
        }
    }
}
