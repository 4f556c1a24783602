/// What has to hold of every input.
public func require(
    _ holds: Bool, _ broken: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !holds { fatalError(broken(), file: file, line: line) }
}

/// Decodes an input whole, and in all ways of dividing it, and gives what all of these have to come to.
public func replay<Outcome: Equatable>(_ bytes: [UInt8], _ decode: (Pieces) -> Outcome) -> Outcome {
    let whole = decode(.whole(bytes))
    for pieces in Pieces.ways(of: bytes) {
        let outcome = decode(pieces)
        require(outcome == whole, "\(pieces): \(outcome), and whole: \(whole)")
    }
    return whole
}

/// As `replay`, for parsers that are given everything from the first byte on each time: `parse` is told where each
/// arrival ends.
public func replayGrowing<Outcome: Equatable>(_ bytes: [UInt8], _ parse: ([Int]) -> Outcome) -> Outcome {
    replay(bytes) { parse($0.ends) }
}
