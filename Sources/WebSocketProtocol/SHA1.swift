/// SHA-1 (RFC 3174), by which the handshake proves that the server speaks WebSocket (RFC 6455 §4.2.2). It is of no use
/// for security.
enum SHA1 {
    static let digestLength = 20

    /// The digest of `message`. Cost: below a microsecond for a handshake's 60 bytes; no allocation besides the result.
    static func digest(of message: some Collection<UInt8>) -> [UInt8] {
        var state = SHA1State()
        for byte in message { state.append(byte) }
        state.finish()
        let hash = state.hash
        // Safe: as many bytes are written as there is room for.
        return unsafe [UInt8](unsafeUninitializedCapacity: digestLength) { digest, count in
            for index in 0..<digestLength {
                let word = hash[index / 4] >> UInt32(24 - 8 * (index % 4))
                unsafe digest[index] = UInt8(truncatingIfNeeded: word)
            }
            count = digestLength
        }
    }
}

/// What has been hashed, and the block that is being filled. Changed in place: closures over it would copy it.
private struct SHA1State: ~Copyable {
    private(set) var hash: InlineArray<5, UInt32> = [
        0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0,
    ]
    /// The block's sixteen words, and behind them what `compress` makes of them.
    private var words = InlineArray<80, UInt32>(repeating: 0)
    /// The bytes of the word that is not complete.
    private var word: UInt32 = 0
    private var byteCount = 0

    mutating func append(_ byte: UInt8) {
        word = word &<< 8 | UInt32(byte)
        byteCount &+= 1
        guard byteCount & 3 == 0 else { return }
        words[(byteCount &- 1) / 4 % 16] = word
        if byteCount & 63 == 0 { compress() }
    }

    /// §4: a 1 bit, zeros up to eight bytes before the end of a block, and the length in bits.
    mutating func finish() {
        let bitCount = UInt64(byteCount) * 8
        append(0x80)
        while byteCount & 63 != 56 { append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
        }
    }

    /// §6.1: eighty rounds in four groups, each with a function and a constant of its own.
    private mutating func compress() {
        for index in 16..<80 {
            let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]
            words[index] = mixed.rotatedLeft(by: 1)
        }
        var (a, b, c, d, e) = (hash[0], hash[1], hash[2], hash[3], hash[4])
        @inline(__always) func round(_ word: UInt32, _ mixed: UInt32) {
            let next = a.rotatedLeft(by: 5) &+ mixed &+ e &+ word
            (a, b, c, d, e) = (next, a, b.rotatedLeft(by: 30), c, d)
        }
        for index in 0..<20 { round(words[index] &+ 0x5A82_7999, b & c | ~b & d) }
        for index in 20..<40 { round(words[index] &+ 0x6ED9_EBA1, b ^ c ^ d) }
        for index in 40..<60 { round(words[index] &+ 0x8F1B_BCDC, b & c | b & d | c & d) }
        for index in 60..<80 { round(words[index] &+ 0xCA62_C1D6, b ^ c ^ d) }
        hash[0] &+= a
        hash[1] &+= b
        hash[2] &+= c
        hash[3] &+= d
        hash[4] &+= e
    }
}

extension UInt32 {
    fileprivate func rotatedLeft(by count: UInt32) -> UInt32 { self &<< count | self &>> (32 - count) }
}
