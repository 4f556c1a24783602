@testable import WebSocketProtocol

/// RFC 6455 §5 over bytes that are all there: slow, frame by frame, with nothing kept between the steps but the
/// message under way.
struct FrameReference {
    private let setting: FrameSetting
    private let bytes: [UInt8]
    /// Where the next frame begins.
    private var position = 0
    private var message: (isText: Bool, isCompressed: Bool, bytes: [UInt8])?
    private var emptyFragments = 0

    static func decode(_ bytes: [UInt8], _ setting: FrameSetting) -> [SeenFrame] {
        var reference = FrameReference(setting: setting, bytes: bytes)
        var seen: [SeenFrame] = []
        do throws(ProtocolViolation) {
            while try reference.readFrame(&seen) {}
        } catch {
            seen.append(.violation(error))
        }
        return seen
    }

    private init(setting: FrameSetting, bytes: [UInt8]) {
        self.setting = setting
        self.bytes = bytes
    }

    /// False: the frame is not all there.
    private mutating func readFrame(_ seen: inout [SeenFrame]) throws(ProtocolViolation) -> Bool {
        guard bytes.count - position >= 2 else { return false }
        let (first, second) = (bytes[position], bytes[position + 1])
        try judge(first, second)
        let lengthBytes = second & 0x7F == 126 ? 2 : second & 0x7F == 127 ? 8 : 0
        let keyStart = position + 2 + lengthBytes
        let start = keyStart + (second & 0x80 != 0 ? 4 : 0)
        guard bytes.count >= start else { return false }
        let length = try length(second & 0x7F, bytes[position + 2..<keyStart])
        let opcode = first & 0x0F
        if opcode < 8 { try beginData(first, length) }

        let key = Array(bytes[keyStart..<start])
        let arrived = bytes[start...].prefix(length).enumerated().map { $1 ^ (key.isEmpty ? 0 : key[$0 % 4]) }
        let isWhole = arrived.count == length
        if opcode < 8 {
            try takeData(arrived, isLast: isWhole && first & 0x80 != 0, &seen)
        } else if isWhole {
            seen.append(try control(opcode, arrived))
        }
        position = start + arrived.count
        return isWhole
    }

    /// §5.1 to §5.5, as far as the first two bytes say it.
    private func judge(_ first: UInt8, _ second: UInt8) throws(ProtocolViolation) {
        let (opcode, isCompressed) = (first & 0x0F, first & 0x40 != 0)
        if first & 0x30 != 0 { throw .reservedBits }
        if ![0, 1, 2, 8, 9, 10].contains(opcode) { throw .reservedOpcode }
        if isCompressed, !(setting.allowsCompression && (opcode == 1 || opcode == 2)) { throw .reservedBits }
        if opcode >= 8, first & 0x80 == 0 { throw .fragmentedControlFrame }
        if opcode >= 8, second & 0x7F > 125 { throw .controlFrameTooLong }
        if opcode == 0, message == nil { throw .unexpectedContinuation }
        if opcode == 1 || opcode == 2, message != nil { throw .interruptedMessage }
        if setting.role == .server, second & 0x80 == 0 { throw .unmaskedFrame }
        if setting.role == .client, second & 0x80 != 0 { throw .maskedFrame }
    }

    private func length(_ short: UInt8, _ extended: ArraySlice<UInt8>) throws(ProtocolViolation) -> Int {
        guard short > 125 else { return Int(short) }
        let length = extended.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        if length > UInt64(Int.max) { throw .negativeLength }
        if length <= (short == 126 ? 125 : 0xFFFF) { throw .nonMinimalLength }
        return Int(length)
    }

    private mutating func beginData(_ first: UInt8, _ length: Int) throws(ProtocolViolation) {
        let isContinuation = first & 0x0F == 0
        var current = message ?? (first & 0x0F == 1, first & 0x40 != 0, [])
        let most = current.isCompressed ? setting.limits.maxDeflatedLength : setting.limits.maxPayloadLength
        if length > most - current.bytes.count { throw .messageTooBig }
        if !isContinuation {
            current.bytes = []
            emptyFragments = 0
        }
        message = current
        if length == 0, isContinuation || first & 0x80 == 0 {
            emptyFragments += 1
            if emptyFragments > setting.limits.maxEmptyFragments { throw .tooManyEmptyFragments }
        }
    }

    private mutating func takeData(
        _ bytes: [UInt8], isLast: Bool, _ seen: inout [SeenFrame]
    ) throws(ProtocolViolation) {
        guard var current = message else { return }
        current.bytes += bytes
        message = current
        if current.isText, !current.isCompressed {
            guard isLast ? ReferenceText.isValid(current.bytes) : ReferenceText.isBeginning(current.bytes) else {
                throw .invalidText
            }
        }
        guard isLast else { return }
        seen.append(.message(isText: current.isText, isCompressed: current.isCompressed, current.bytes))
        message = nil
    }

    private func control(_ opcode: UInt8, _ payload: [UInt8]) throws(ProtocolViolation) -> SeenFrame {
        if opcode == 9 { return .ping(payload) }
        if opcode == 10 { return .pong(payload) }
        if payload.isEmpty { return .close(nil, []) }
        if payload.count == 1 { throw .truncatedCloseCode }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        let isLegal = (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code)
        if !isLegal { throw .illegalCloseCode }
        if !ReferenceText.isValid(payload[2...]) { throw .invalidCloseReason }
        return .close(code, Array(payload[2...]))
    }
}
