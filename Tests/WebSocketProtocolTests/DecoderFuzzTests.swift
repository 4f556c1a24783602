import Testing
import WebSocketProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Random frames with random damage. The seeds are fixed, so that a failure comes again.
///
/// `RINGCAST_FUZZ_ITERATIONS` makes it longer.
@Suite struct DecoderFuzzTests {
    @Test func `damaged frames never trap and give the same events in any pieces`() {
        for seed in 0..<iterations {
            var generator = SeededGenerator(seed: UInt64(seed))
            let setting = randomSetting(&generator)
            let bytes = damaged(randomFrames(role: setting.role, &generator), &generator)
            let whole = decode([bytes], setting)
            guard decode(pieces(of: bytes, &generator), setting) == whole, decode(bytes.map { [$0] }, setting) == whole
            else {
                Issue.record("seed \(seed)")
                return
            }
        }
    }

    @Test func `random bytes never trap and give the same events in any pieces`() {
        for seed in 0..<iterations {
            var generator = SeededGenerator(seed: ~UInt64(seed))
            let setting = randomSetting(&generator)
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            guard decode(pieces(of: bytes, &generator), setting) == decode([bytes], setting) else {
                Issue.record("seed \(seed)")
                return
            }
        }
    }

    private var iterations: Int {
        guard let text = unsafe getenv("RINGCAST_FUZZ_ITERATIONS"), let count = unsafe Int(String(cString: text))
        else { return 3000 }
        return count
    }

    private func randomSetting(_ generator: inout SeededGenerator) -> Setting {
        Setting(
            role: Bool.random(using: &generator) ? .server : .client,
            allowsCompression: Bool.random(using: &generator),
            limits: DecoderLimits(
                maxPayloadLength: [50, 400, 1 << 24].randomElement(using: &generator)!,
                maxEmptyFragments: [1, 1024].randomElement(using: &generator)!))
    }

    private func randomFrames(role: Role, _ generator: inout SeededGenerator) -> [UInt8] {
        // Mostly what may follow each other: a fragmented message with control frames in it, then more of the kind.
        let firsts: [UInt8] = [0x81, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x88, 0x89, 0x8A, 0xC1]
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let first = firsts.randomElement(using: &generator)!
            let isControl = first & 0x08 != 0
            let longest = isControl ? 20 : [0, 10, 150, 300].randomElement(using: &generator)!
            let text = String(repeating: "aé日🦆", count: longest / 10).utf8.prefix(longest)
            let payload = (first == 0x88 ? [0x03, 0xE8] : []) + Array(text)
            let frame = Frame(first: first, payload: payload)
            bytes += (role == .server ? frame : frame.unmasked).bytes
        }
        return bytes
    }

    private func damaged(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            guard let place = bytes.indices.randomElement(using: &generator) else { break }
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            default: bytes.removeSubrange(place...)
            }
        }
        return bytes
    }

    private func pieces(of bytes: [UInt8], _ generator: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(rest.count, 64), using: &generator)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
