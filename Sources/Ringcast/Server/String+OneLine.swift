import HTTPProtocol

extension String {
    /// The text as a part of one line of a log or of an error's description: characters that would end the line, move
    /// a terminal's cursor or reverse the order of others are percent-encoded. A peer may have chosen the text
    /// (CWE-117).
    package var onOneLine: String {
        guard unicodeScalars.contains(where: \.needsEscape) else { return self }
        var line = ""
        for scalar in unicodeScalars {
            guard scalar.needsEscape else {
                line.unicodeScalars.append(scalar)
                continue
            }
            for byte in String(scalar).utf8 { line += byte.percentEncoded }
        }
        return line
    }
}

extension Unicode.Scalar {
    fileprivate var needsEscape: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
