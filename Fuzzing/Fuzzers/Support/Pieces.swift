/// An input as it arrives: in pieces, one behind the other, each in memory of its own, so that reading beyond one is
/// noticed.
public struct Pieces: Sequence, CustomStringConvertible {
    private enum Division {
        case whole
        /// In two, at this place.
        case cut(Int)
        /// In pieces of 1 to 16 bytes, whose lengths this number leads to.
        case scattered(UInt64)
        case single
    }

    private let bytes: [UInt8]
    private let division: Division

    private init(_ bytes: [UInt8], _ division: Division) {
        self.bytes = bytes
        self.division = division
    }

    public static func whole(_ bytes: [UInt8]) -> Pieces { Pieces(bytes, .whole) }

    public static func single(_ bytes: [UInt8]) -> Pieces { Pieces(bytes, .single) }

    /// The ways in which an input is replayed: cut in two, scattered, and byte by byte. Where it is divided differs
    /// from input to input, so that in the end every place is met, and one input of 64 is cut in two at every place;
    /// the same input is always divided in the same way.
    public static func ways(of bytes: [UInt8]) -> [Pieces] {
        guard bytes.count > 1 else { return [] }
        let hash = hash(of: bytes)
        let places = hash >> 58 == 0 ? 1...bytes.count - 1 : onePlace(in: bytes, hash)
        let cuts = places.map { Pieces(bytes, .cut($0)) }
        return bytes.count == 2 ? cuts : cuts + [Pieces(bytes, .scattered(hash)), Pieces(bytes, .single)]
    }

    private static func onePlace(in bytes: [UInt8], _ hash: UInt64) -> ClosedRange<Int> {
        let place = 1 + Int(hash % UInt64(bytes.count - 1))
        return place...place
    }

    /// One of these ways, for what is slow: which one differs from input to input.
    public static func oneWay(of bytes: [UInt8]) -> Pieces {
        guard bytes.count > 1 else { return .whole(bytes) }
        let hash = hash(of: bytes)
        switch hash >> 60 & 3 {
        case 0: return Pieces(bytes, .single)
        case 1: return Pieces(bytes, .cut(1 + Int(hash % UInt64(bytes.count - 1))))
        default: return Pieces(bytes, .scattered(hash))
        }
    }

    /// A number that inputs which differ in one byte differ in.
    public static func hash(of bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return (hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Where each piece ends, in bytes from the beginning.
    public var ends: [Int] {
        switch division {
        case .whole: return [bytes.count]
        case .cut(let place): return [place, bytes.count]
        case .single: return Array(1...bytes.count)
        case .scattered(var state):
            var ends: [Int] = []
            var end = 0
            while end < bytes.count {
                end = Swift.min(end + Self.length(&state), bytes.count)
                ends.append(end)
            }
            return ends
        }
    }

    public var description: String {
        switch division {
        case .whole: "whole"
        case .single: "byte by byte"
        case .cut, .scattered: "cut at \(ends.dropLast())"
        }
    }

    public func makeIterator() -> Iterator { Iterator(pieces: self) }

    public struct Iterator: IteratorProtocol {
        fileprivate let pieces: Pieces
        private var position = 0
        private var state: UInt64 = 0
        private var isFirst = true

        fileprivate init(pieces: Pieces) {
            self.pieces = pieces
            if case .scattered(let seed) = pieces.division { state = seed }
        }

        public mutating func next() -> [UInt8]? {
            defer { isFirst = false }
            let bytes = pieces.bytes
            guard position < bytes.count || isFirst else { return nil }
            let end: Int
            switch pieces.division {
            case .whole:
                position = bytes.count
                return isFirst ? bytes : nil
            case .single:
                guard position < bytes.count else { return nil }
                position += 1
                return Pieces.singleBytes[Int(bytes[position - 1])]
            case .cut(let place): end = isFirst ? place : bytes.count
            case .scattered: end = Swift.min(position + Pieces.length(&state), bytes.count)
            }
            defer { position = end }
            return Array(bytes[position..<end])
        }
    }

    /// Every byte as an array, so that none is made for each byte of each input.
    private static let singleBytes = (0...UInt8.max).map { [$0] }

    private static func length(_ state: inout UInt64) -> Int {
        state = state &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
        return 1 + Int(state >> 60)
    }
}
