/// An input as a target takes it apart: settings first, then what is parsed. What is missing is zero, so that every
/// input means something.
public struct FuzzInput {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    public var isEmpty: Bool { rest.isEmpty }

    public mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    public mutating func bool() -> Bool { byte() & 1 != 0 }

    /// From 0 on, and below `bound`, which is at most 256.
    public mutating func number(below bound: Int) -> Int { Int(byte()) % bound }

    public mutating func element<Element>(of options: [Element]) -> Element { options[number(below: options.count)] }

    /// The next bytes, fewer where there are fewer.
    public mutating func take(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// The bytes in front of the next `mark`, which is taken too; without one, all that are left.
    public mutating func take(until mark: UInt8) -> [UInt8] {
        let bytes = take(rest.prefix { $0 != mark }.count)
        rest = rest.dropFirst()
        return bytes
    }

    /// All that is left.
    public mutating func remainder() -> [UInt8] { take(rest.count) }

    /// All that is left as text; what is not UTF-8 is repaired.
    public mutating func text() -> String { String(decoding: remainder(), as: UTF8.self) }
}
