/// What has to hold of every input.
public func require(
    _ holds: Bool, _ broken: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !holds { fatalError(broken(), file: file, line: line) }
}

/// Decodes an input whole, cut in two, and byte by byte, and gives what all of these have to come to.
public func replay<Outcome: Equatable>(
    _ bytes: [UInt8], cuts most: Int = 8, _ decode: ([[UInt8]]) -> Outcome
) -> Outcome {
    let whole = decode([bytes])
    for cut in cuts(of: bytes, most: most) {
        compare(decode([Array(bytes[..<cut]), Array(bytes[cut...])]), whole, "cut at \(cut)")
    }
    if bytes.count > 2 { compare(decode(bytes.map { [$0] }), whole, "byte by byte") }
    return whole
}

/// As `replay`, for parsers that are given everything from the first byte on each time: `parse` is told where each
/// arrival ends.
public func replayGrowing<Outcome: Equatable>(_ bytes: [UInt8], _ parse: ([Int]) -> Outcome) -> Outcome {
    let whole = parse([bytes.count])
    for cut in cuts(of: bytes, most: 8) { compare(parse([cut, bytes.count]), whole, "cut at \(cut)") }
    compare(parse(Array(0...bytes.count)), whole, "byte by byte")
    return whole
}

private func compare<Outcome: Equatable>(_ pieces: Outcome, _ whole: Outcome, _ how: String) {
    require(pieces == whole, "\(how): \(pieces), and whole: \(whole)")
}

/// Where to cut an input in two: everywhere in a short one, else at `most` places that differ from input to input, so
/// that in the end every place is met.
func cuts(of bytes: [UInt8], most: Int) -> [Int] {
    let places = bytes.count - 1
    guard places > 0 else { return [] }
    guard places > 2 * most else { return Array(1...places) }
    let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    let step = places / most
    let first = 1 + Int(hash % UInt64(step))
    return (0..<most).map { first + $0 * step }
}
