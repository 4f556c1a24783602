import FuzzSupport
@testable import HTTPProtocol
import HTTPTypes

/// Request heads within bounds of any size.
enum RequestHeads {
    static func run(_ input: inout FuzzInput) {
        let limits = RequestLimits(
            headBytes: input.element(of: [16 << 10, 1, 70, 300]), fieldCount: input.element(of: [100, 1, 3]),
            targetBytes: input.element(of: [8 << 10, 1, 20]), bodyBytes: input.element(of: [1 << 20, 0, 10, .max]))
        let bytes = input.remainder()
        switch replayGrowing(bytes, { parse(bytes, arriving: $0, limits) }) {
        case .incomplete: require(bytes.count < limits.headBytes, "a head over the limit is awaited")
        case .refused(let refusal):
            require([400, 413, 414, 417, 431, 501, 505].contains(refusal.status.code), "refused with \(refusal)")
        case .complete(let layout):
            checkLayout(layout, of: bytes, limits)
            checkFraming(RequestHead(bytes: bytes.span.bytes, layout: layout))
            checkEncodedAgain(layout, of: bytes, limits)
        }
    }

    private static func parse(_ bytes: [UInt8], arriving counts: [Int], _ limits: RequestLimits) -> HeadResult {
        var parser = RequestHeadParser(limits: limits)
        for count in counts {
            let result = parser.parse(bytes.span.bytes.extracting(first: count))
            require(parser.position <= count, "the parser has looked beyond what came")
            if result != .incomplete { return result }
        }
        return .incomplete
    }

    private static func checkLayout(_ layout: RequestHeadLayout, of bytes: [UInt8], _ limits: RequestLimits) {
        let count = layout.byteCount
        require(count <= min(bytes.count, limits.headBytes), "the head is \(count) bytes long")
        require(layout.target.count <= limits.targetBytes, "the target is too long")
        let parts = [layout.method, layout.target, layout.fields]
        for (part, next) in zip(parts, parts.dropFirst()) {
            require(part.upperBound < next.lowerBound, "parts lie in no order: \(layout)")
        }
        require(layout.fields.upperBound == count - 2, "fields end at \(layout.fields.upperBound) of \(count)")
        for part in [layout.authority, layout.path, layout.query] where !part.isEmpty {
            require(
                part.lowerBound >= layout.target.lowerBound && part.upperBound <= layout.target.upperBound,
                "a part of the target lies outside of it: \(layout)")
        }
        for offset in 0..<count where bytes[offset] == 0x0D || bytes[offset] == 0x0A {
            let isPair = bytes[offset] == 0x0D ? bytes[offset + 1] == 0x0A : offset > 0 && bytes[offset - 1] == 0x0D
            require(isPair, "half a line end at \(offset)")
        }
        let less = Array(bytes[..<(count - 1)])
        require(parse(less, arriving: [count - 1], limits) == .incomplete, "complete before its last byte")
    }

    /// What two parsers could read in two ways must not have passed (RFC 9112 §6.3, §11.2), and lookups agree with a
    /// copy of all fields.
    private static func checkFraming(_ head: RequestHead) {
        let fields = head.fields
        for field in fields {
            require(head.headers(field.name) == fields[values: field.name], "\(field.name) is found otherwise")
            require(head.hasHeader(field.name), "\(field.name) is not found")
        }
        let hosts = fields[values: HTTPField.Name("Host")!]
        require(hosts.count <= 1 && (hosts.count == 1 || !head.layout.isHTTP11), "\(hosts.count) Hosts")
        let lengths = fields[values: .contentLength].flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false).map { Int($0.trimmingBlanks) }
        }
        let codings = fields[values: .transferEncoding]
        switch head.layout.body {
        case .none:
            require(codings.isEmpty && lengths.allSatisfy { $0 == 0 }, "no body: \(fields)")
        case .length(let length):
            require(codings.isEmpty && !lengths.isEmpty, "a length out of nothing")
            // What does not fit is taken for the largest.
            require(lengths.allSatisfy { ($0 ?? .max) == length }, "\(length) is not what \(lengths) say")
        case .chunked:
            require(lengths.isEmpty && head.layout.isHTTP11, "chunked, and \(lengths)")
            require(codings.map { $0.lowercased() } == ["chunked"], "chunked: \(codings)")
        case .untilEnd: fatalError("a body without an end is a stream's of HTTP/2")
        }
        require(head.path.isEmpty == false && head.rawPath.isEmpty == false, "there is always a path")
        _ = (head.method, head.target, head.authority, head.query("a"), head.rawQuery, head.cookie("b"))
    }

    /// Without the empty lines in front and the blanks around values it is the same head.
    private static func checkEncodedAgain(_ layout: RequestHeadLayout, of bytes: [UInt8], _ limits: RequestLimits) {
        var encoded = bytes[layout.method] + [0x20] + bytes[layout.target] + Array(" HTTP/1.".utf8)
        encoded += layout.isHTTP11 ? [0x31, 0x0D, 0x0A] : [0x30, 0x0D, 0x0A]
        var lines = FieldLineCursor(layout)
        var count = 0
        while let line = lines.next(in: bytes.span.bytes) {
            encoded += bytes[line.name] + [0x3A] + bytes[line.value] + [0x0D, 0x0A]
            count += 1
        }
        require(count <= limits.fieldCount, "\(count) fields")
        encoded += [0x0D, 0x0A]
        guard case .complete(let again) = parse(Array(encoded), arriving: [encoded.count], limits) else {
            fatalError("refused when it is written again: \(String(decoding: encoded, as: UTF8.self))")
        }
        require(again.body == layout.body && again.isHTTP11 == layout.isHTTP11, "another framing")
        require(
            again.keepsAlive == layout.keepsAlive && again.expectsContinue == layout.expectsContinue
                && again.requestsUpgrade == layout.requestsUpgrade && again.isHead == layout.isHead, "other facts")
        let encodedBytes = Array(encoded)
        for (new, old) in [
            (again.method, layout.method), (again.authority, layout.authority), (again.path, layout.path),
            (again.query, layout.query),
        ] { require(encodedBytes[new] == bytes[old], "another part of the target") }
    }
}

extension Substring {
    var trimmingBlanks: Substring {
        var rest = drop { $0 == " " || $0 == "\t" }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
