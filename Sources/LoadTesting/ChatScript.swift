/// What a client of the chat benchmark says in a round: 1,600 short texts, 32 times the same 50, of the lengths that
/// Bun publishes (595 bytes for the 50).
package enum ChatScript {
    package static let textsPerRound = 1_600
    package static let lengths = [
        12, 14, 14, 14, 14, 14, 14, 14, 14, 14, 28, 22, 3, 8, 6, 6, 3, 5, 10, 10, 14, 14, 14, 28, 22, 3, 8, 6, 6, 3, 5,
        10,
        10, 14, 14, 14, 28, 14, 14, 14, 28, 22, 3, 8, 6, 6, 3, 5, 10, 10,
    ]
    private static let filler = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// The 50 texts.
    package static let texts: [[UInt8]] = lengths.map { Array(filler[..<$0]) }
}
