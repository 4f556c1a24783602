/// SHA-1 (RFC 3174), by which the handshake proves that the server speaks WebSocket (RFC 6455 §4.2.2). It is of no use
/// for security.
enum SHA1 {
    static let digestLength = 20

    /// The digest of `message`. Cost: about a microsecond for a handshake's 60 bytes; no allocation besides the result.
    static func digest(of message: some Collection<UInt8>) -> [UInt8] {
        var state: State = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        var block = Block(repeating: 0)
        var index = 0
        func append(_ byte: UInt8) {
            let word = index / 4 % 16
            block[word] = block[word] &<< 8 | UInt32(byte)
            index += 1
            if index % 64 == 0 { compress(block, into: &state) }
        }
        for byte in message { append(byte) }
        // §4: a 1 bit, zeros up to eight bytes before the end of a block, and the length in bits.
        let bitCount = UInt64(index) * 8
        append(0x80)
        while index % 64 != 56 { append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
        }

        var digest: [UInt8] = []
        digest.reserveCapacity(digestLength)
        for word in state.indices {
            for shift in stride(from: 24, through: 0, by: -8) {
                digest.append(UInt8(truncatingIfNeeded: state[word] >> UInt32(shift)))
            }
        }
        return digest
    }

    private typealias State = InlineArray<5, UInt32>
    private typealias Block = InlineArray<16, UInt32>

    /// §6.1: eighty rounds in four groups, each with a function and a constant of its own.
    private static func compress(_ block: Block, into state: inout State) {
        let schedule = expand(block)
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        @inline(__always) func rounds(_ range: Range<Int>, _ constant: UInt32, _ function: () -> UInt32) {
            for round in range {
                let next = a.rotatedLeft(by: 5) &+ function() &+ e &+ schedule[round] &+ constant
                (a, b, c, d, e) = (next, a, b.rotatedLeft(by: 30), c, d)
            }
        }
        rounds(0..<20, 0x5A82_7999) { b & c | ~b & d }
        rounds(20..<40, 0x6ED9_EBA1) { b ^ c ^ d }
        rounds(40..<60, 0x8F1B_BCDC) { b & c | b & d | c & d }
        rounds(60..<80, 0xCA62_C1D6) { b ^ c ^ d }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
    }

    private static func expand(_ block: Block) -> InlineArray<80, UInt32> {
        var schedule = InlineArray<80, UInt32>(repeating: 0)
        for word in 0..<16 { schedule[word] = block[word] }
        for word in 16..<80 {
            let mixed = schedule[word - 3] ^ schedule[word - 8] ^ schedule[word - 14] ^ schedule[word - 16]
            schedule[word] = mixed.rotatedLeft(by: 1)
        }
        return schedule
    }
}

extension UInt32 {
    fileprivate func rotatedLeft(by count: UInt32) -> UInt32 { self &<< count | self &>> (32 - count) }
}
