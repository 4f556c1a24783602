@testable import HTTPProtocol

/// A route as its pattern's bytes say, slow and by itself: segments between slashes, and what each of them takes.
struct RouteReference {
    enum Segment: Equatable {
        case literal([UInt8])
        case parameter
        case rest
    }

    let segments: [Segment]
    let methods: RouteMethods

    /// Nil: the pattern is none.
    init?(_ text: [UInt8], _ methods: RouteMethods) {
        guard text.first == UInt8(ascii: "/"), !text.contains(UInt8(ascii: "?")), !text.contains(UInt8(ascii: "#"))
        else { return nil }
        let parts = text.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        var names: [String] = []
        segments = parts.map { part in
            switch part.first {
            case UInt8(ascii: ":"):
                names.append(String(decoding: part.dropFirst(), as: UTF8.self))
                return .parameter
            case UInt8(ascii: "*"):
                names.append(String(decoding: part.count == 1 ? part : part.dropFirst(), as: UTF8.self))
                return .rest
            default: return .literal(Self.decoded(part))
            }
        }
        self.methods = methods
        if segments.dropLast().contains(where: { $0 == .rest || $0 == .literal([]) }) { return nil }
        if names.contains(where: \.isEmpty) || Set(names).count < names.count || names.count > 8 { return nil }
        let isUnnamed = parts.last?.elementsEqual([UInt8(ascii: "*")]) == true
        if !names.dropLast(isUnnamed ? 1 : 0).allSatisfy({ $0.utf8.allSatisfy(Self.isOfName) }) { return nil }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            || 0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20
    }

    /// RFC 3986 §2.1; what is no escape stands for itself.
    static func decoded(_ text: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8] {
        let text = Array(text)
        var bytes: [UInt8] = []
        var offset = 0
        while offset < text.count {
            let digits = text[offset...].dropFirst().prefix(2)
            if text[offset] == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy({ $0.isHexadecimal }),
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                offset += 3
            } else {
                bytes.append(plusIsSpace && text[offset] == UInt8(ascii: "+") ? 0x20 : text[offset])
                offset += 1
            }
        }
        return bytes
    }

    /// Whether the route takes a path, given by its segments, and where the parameters lie in it: at these segments.
    func match(_ path: [ArraySlice<UInt8>]) -> [Int]? {
        var parameters: [Int] = []
        for (index, segment) in segments.enumerated() {
            guard index < path.count else { return nil }
            switch segment {
            case .rest: return parameters + [index]
            case .parameter:
                if path[index].isEmpty { return nil }
                parameters.append(index)
            case .literal(let bytes): if Self.decoded(path[index]) != bytes { return nil }
            }
        }
        return segments.count == path.count ? parameters : nil
    }

    /// Of two routes that take a path the one that goes before in this order is found.
    func goesBefore(_ other: RouteReference) -> Bool { rank.lexicographicallyPrecedes(other.rank) }

    private var rank: [Int] {
        segments.map { segment in
            switch segment {
            case .literal: 0
            case .parameter: 1
            case .rest: 2
            }
        }
    }
}

extension UInt8 {
    fileprivate var isHexadecimal: Bool { 0x30...0x39 ~= self || 0x61...0x66 ~= self | 0x20 }
}
