/// The grammar of UTF-8 (RFC 3629 §4) as an automaton that takes a byte with one load and one shift, and no branch.
///
/// A state is a bit offset, a multiple of six. The row of a byte holds, at the offset of each state, the offset of the
/// state that follows: shifting the row by the state gives the next state in the low six bits, and what lies above them
/// does no harm, since a shift looks at six bits only. Nine states fit into a word.
enum UTF8Automaton {
    struct State: RawRepresentable, Hashable {
        let rawValue: UInt8

        /// Behind a byte that cannot be right, whatever follows.
        static let reject = State(rawValue: 0)
        /// Between two characters.
        static let accept = State(rawValue: 6)
        /// Inside a character, where one, two or three continuation bytes are missing.
        static let oneMissing = State(rawValue: 12)
        static let twoMissing = State(rawValue: 18)
        static let threeMissing = State(rawValue: 24)
        /// Behind E0, where a byte below A0 would make an overlong encoding.
        static let afterE0 = State(rawValue: 30)
        /// Behind ED, where a byte above 9F would make a surrogate.
        static let afterED = State(rawValue: 36)
        /// Behind F0, where a byte below 90 would make an overlong encoding.
        static let afterF0 = State(rawValue: 42)
        /// Behind F4, where a byte above 8F would lead beyond U+10FFFF.
        static let afterF4 = State(rawValue: 48)
    }

    /// The automaton while it runs: its state with other bits above it.
    struct Run {
        private var bits: UInt64

        @inline(__always) init(from state: State) { bits = UInt64(state.rawValue) }

        @inline(__always) mutating func step(_ byte: UInt8, _ rows: Span<UInt64>) { bits = rows[Int(byte)] &>> bits }

        @inline(__always) var state: State { State(rawValue: UInt8(truncatingIfNeeded: bits & 63)) }
    }

    /// The row of each byte. A loop fetches the table once, since each access has to see whether it is the first.
    static let rows: InlineArray<256, UInt64> = InlineArray { row(of: UInt8($0)) }

    private static func row(of byte: UInt8) -> UInt64 {
        transitions(on: byte).reduce(0) { $0 | UInt64($1.to.rawValue) << UInt64($1.from.rawValue) }
    }

    /// The states that `byte` leads on from. From all others it leads to `reject`, which needs no bits: its offset is
    /// 0.
    private static func transitions(on byte: UInt8) -> [(from: State, to: State)] {
        switch byte {
        case 0x00...0x7F: [(.accept, .accept)]
        case 0x80...0x8F: continuations + [(.afterED, .oneMissing), (.afterF4, .twoMissing)]
        case 0x90...0x9F: continuations + [(.afterED, .oneMissing), (.afterF0, .twoMissing)]
        case 0xA0...0xBF: continuations + [(.afterE0, .oneMissing), (.afterF0, .twoMissing)]
        case 0xC2...0xDF: [(.accept, .oneMissing)]
        case 0xE0: [(.accept, .afterE0)]
        case 0xED: [(.accept, .afterED)]
        case 0xE1...0xEF: [(.accept, .twoMissing)]
        case 0xF0: [(.accept, .afterF0)]
        case 0xF1...0xF3: [(.accept, .threeMissing)]
        case 0xF4: [(.accept, .afterF4)]
        default: []
        }
    }

    private static let continuations: [(from: State, to: State)] = [
        (.oneMissing, .accept), (.twoMissing, .oneMissing), (.threeMissing, .twoMissing),
    ]
}
