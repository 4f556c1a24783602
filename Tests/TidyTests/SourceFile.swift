import Foundation

/// One text file of the repository.
struct SourceFile: Sendable {
    /// From the repository's root: `Sources/Reactor/Token.swift`.
    let path: String
    let text: String
    var isExecutable = false

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// Lines as an editor counts them: the last newline begins none.
    var lineCount: Int { lines.count - (text.hasSuffix("\n") ? 1 : 0) }

    var name: String { (path as NSString).lastPathComponent }
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// What the compiler sees, line by line: without comments and without what is in string literals.
    var code: [String] {
        var scanner = CodeScanner()
        return lines.map { scanner.scan($0) }
    }
}

/// Blanks out comments and literals. It does not look into interpolations, so a quotation mark in one ends the literal early.
private struct CodeScanner {
    private var isInBlockComment = false
    private var isInLongLiteral = false

    mutating func scan(_ line: Substring) -> String {
        var code = ""
        var rest = line
        var isInLiteral = false
        while let character = rest.first {
            if isInBlockComment {
                if rest.hasPrefix("*/") { isInBlockComment = false }
            } else if rest.hasPrefix("\"\"\"") {
                isInLongLiteral.toggle()
                rest.removeFirst(2)
            } else if isInLongLiteral {
                // nothing of it is code
            } else if isInLiteral {
                if character == "\\" { rest.removeFirst() }
                if character == "\"" { isInLiteral = false }
            } else if rest.hasPrefix("//") {
                break
            } else if rest.hasPrefix("/*") {
                isInBlockComment = true
            } else if character == "\"" {
                isInLiteral = true
            } else {
                code.append(character)
            }
            rest = rest.dropFirst()
        }
        return code
    }
}
