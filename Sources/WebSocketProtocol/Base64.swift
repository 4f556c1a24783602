/// Base64 with the standard alphabet and padding (RFC 4648 §4), as far as the handshake needs it.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String {
        let length = (bytes.count + 2) / 3 * 4
        // Safe: what is written is ASCII, in memory of that length.
        return unsafe String(unsafeUninitializedCapacity: length) { characters in
            for place in 0..<length {
                // Three bytes are four groups of six bits; the bits that are missing at the end are zero.
                let (start, position) = (place / 4 * 3, place % 4)
                let second = start + 1 < bytes.count ? bytes[start + 1] : 0
                let third = start + 2 < bytes.count ? bytes[start + 2] : 0
                let bits = UInt32(bytes[start]) << 16 | UInt32(second) << 8 | UInt32(third)
                let sextet = UInt8(truncatingIfNeeded: bits >> UInt32(18 - 6 * position)) & 0x3F
                let isThere = start + position <= bytes.count
                unsafe characters[place] = isThere ? character(of: sextet) : UInt8(ascii: "=")
            }
            return length
        }
    }

    /// How many bytes `text` decodes to; nil if it is not Base64.
    static func decodedLength(of text: String) -> Int? {
        let characters = text.utf8
        guard characters.count.isMultiple(of: 4) else { return nil }
        let padding = characters.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard characters.dropLast(padding).allSatisfy(isInAlphabet) else { return nil }
        return characters.count / 4 * 3 - padding
    }

    private static func character(of sextet: UInt8) -> UInt8 {
        switch sextet {
        case 0..<26: UInt8(ascii: "A") + sextet
        case 26..<52: UInt8(ascii: "a") + sextet - 26
        case 52..<62: UInt8(ascii: "0") + sextet - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    private static func isInAlphabet(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
