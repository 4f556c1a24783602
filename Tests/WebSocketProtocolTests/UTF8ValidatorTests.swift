import Testing
import WebSocketProtocol

@Suite struct UTF8ValidatorTests {
    @Test func `sequences of one to three bytes are judged as the standard library does`() {
        for first in 0...255 as ClosedRange<UInt8> {
            compare([first])
            for second in interesting {
                compare([first, second])
                for third in interesting { compare([first, second, third]) }
            }
        }
    }

    @Test func `sequences of four bytes are judged as the standard library does`() {
        for first in 0xE0...255 as ClosedRange<UInt8> {
            for second in 0x70...0xC8 as ClosedRange<UInt8> {
                for third in [0x41, 0x7F, 0x80, 0xBF, 0xC0] as [UInt8] {
                    for fourth in [0x41, 0x7F, 0x80, 0xBF, 0xC0] as [UInt8] { compare([first, second, third, fourth]) }
                }
            }
        }
    }

    @Test func `random text, right or spoilt in one byte, is judged as the standard library does`() {
        var generator = SeededGenerator(seed: 2)
        let scripts: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF,
        ]
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...60, using: &generator) {
                let script = Bool.random(using: &generator) ? scripts[0] : scripts.randomElement(using: &generator)!
                text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: script, using: &generator))!)
            }
            var bytes = Array(text.utf8)
            compare(bytes)
            guard let place = bytes.indices.randomElement(using: &generator) else { continue }
            bytes[place] = UInt8.random(in: 0...255, using: &generator)
            compare(bytes)
        }
    }

    @Test func `the same bytes are judged the same in pieces`() {
        let texts = ["κόσμε 🦆 日本", "a\u{10FFFF}b\u{D7FF}\u{E000}", String(repeating: "x", count: 130) + "ß"]
        for bytes in texts.map({ Array($0.utf8) }) + [
            [0x61, 0xF0, 0x90, 0x41], [0xED, 0xA0, 0x80], [0xF4, 0x8F, 0xBF],
        ] {
            let whole = isValid([bytes])
            for split in 0...bytes.count {
                #expect(isValid([Array(bytes[..<split]), Array(bytes[split...])]) == whole)
            }
            #expect(isValid(bytes.map { [$0] }) == whole)
        }
    }

    @Test(arguments: [
        "C0", "C1", "F5", "FF", "80", "E09F", "EDA0", "F08F", "F490", "E141", "F18041", "F1808041", "C220",
    ])
    func `a wrong byte is refused when it comes and not later`(hex: String) {
        let bytes = [UInt8](hex: hex).map { [$0] }
        let (verdicts, isComplete) = judge(bytes + [[0x61], []])
        #expect(verdicts == bytes.dropLast().map { _ in true } + [false, false, false])
        #expect(!isComplete)
    }

    @Test func `a character cut short is not complete`() {
        #expect(judge([[0x61, 0xE2, 0x82]]) == ([true], false))
        #expect(judge([[0x61, 0xE2, 0x82], [0xAC]]) == ([true, true], true))
    }

    @Test func `a validator is small enough to be kept by every connection`() {
        #expect(MemoryLayout<UTF8Validator>.size <= 8)
    }

    /// Around every bound of the grammar.
    private let interesting: [UInt8] = [
        0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xED, 0xF0, 0xF4, 0xFF,
    ]

    /// Alone, and with ASCII around it, where other loops see it.
    private func compare(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
        let expected = String(validating: bytes, as: UTF8.self) != nil
        let padded = [0x61, 0x62, 0x63, 0x64, 0x65] + bytes + [0x66, 0x67, 0x68, 0x69]
        guard isValid([bytes]) != expected || isValid([padded]) != expected else { return }
        Issue.record("\(bytes.map { String($0, radix: 16) })", sourceLocation: sourceLocation)
    }

    private func isValid(_ pieces: [[UInt8]]) -> Bool {
        let (verdicts, isComplete) = judge(pieces)
        return verdicts.allSatisfy { $0 } && isComplete
    }

    private func judge(_ pieces: [[UInt8]]) -> (verdicts: [Bool], isComplete: Bool) {
        var validator = UTF8Validator()
        let verdicts = pieces.map { validator.consume($0.raw) }
        return (verdicts, validator.isComplete)
    }
}
