import Reactor
import WebSocketProtocol

/// A message of a history that several nodes share, as the engine keeps it: how it was published, and its payload.
///
///     version 1 │ flags 1 │ node 16 │ serial 8 │ slot 4 │ loop 2 │ payload      the publisher's socket on its node
@safe struct SharedMessage {
    private static let version: UInt8 = 1
    private static let headerByteCount = 32

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let isText = Flags(rawValue: 1)
        static let retain = Flags(rawValue: 2)
        static let isQuiet = Flags(rawValue: 4)
        static let saysCompression = Flags(rawValue: 8)
        static let compress = Flags(rawValue: 16)
    }

    private let bytes: [UInt8]
    private let flags: Flags
    /// The socket that does not get it, on `node`.
    let publisher: Publisher?

    /// Nil for what no node has appended.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headerByteCount, bytes[0] == Self.version, ClusterNode.isID(bytes[2..<18]) else {
            return nil
        }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        self.bytes = bytes
        flags = Flags(rawValue: bytes[1])
        let serial = number(18..<26)
        publisher =
            serial == 0
            ? nil : Publisher(loop: Int(number(30..<32)), slot: UInt32(number(26..<30)), serial: serial)
    }

    static func encode(
        _ payload: UnsafeRawBufferPointer, as opcode: Opcode, of node: String, except publisher: Publisher?,
        retain: Bool, compress: Bool?, isQuiet: Bool
    ) -> [UInt8] {
        var flags: Flags = []
        if opcode == .text { flags.insert(.isText) }
        if retain { flags.insert(.retain) }
        if isQuiet { flags.insert(.isQuiet) }
        if let compress { flags.formUnion(compress ? [.saysCompression, .compress] : .saysCompression) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerByteCount + payload.count)
        bytes += [version, flags.rawValue]
        bytes += node.utf8
        func append(_ number: UInt64, _ count: Int) {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
        }
        append(publisher?.serial ?? 0, 8)
        append(UInt64(publisher?.slot ?? 0), 4)
        append(UInt64(publisher?.loop ?? 0), 2)
        unsafe bytes.append(contentsOf: payload)
        return bytes
    }

    var opcode: Opcode { flags.contains(.isText) ? .text : .binary }
    var retain: Bool { flags.contains(.retain) }
    var isQuiet: Bool { flags.contains(.isQuiet) }
    var compress: Bool? { flags.contains(.saysCompression) ? flags.contains(.compress) : nil }

    func isOf(_ node: String) -> Bool { bytes[2..<18].elementsEqual(node.utf8) }

    func withPayload<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes {
            // Safe: `init` has seen that there is a header.
            unsafe body(UnsafeRawBufferPointer(rebasing: $0[Self.headerByteCount...]))
        }
    }
}
