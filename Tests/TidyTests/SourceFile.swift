/// One text file of the repository.
struct SourceFile: Sendable {
    /// From the repository's root: `Sources/Reactor/Token.swift`.
    let path: String
    let text: String
    let isExecutable: Bool
    let lines: [Substring]
    /// What the compiler sees, line by line: without comments and without what is in string literals.
    let code: [String]

    init(path: String, text: String, isExecutable: Bool = false) {
        self.path = path
        self.text = text
        self.isExecutable = isExecutable
        // By bytes, which is many times faster.
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Substring($0) }
        var scanner = CodeScanner()
        code = path.hasSuffix(".swift") ? lines.map { scanner.scan(Array($0.utf8)) } : []
    }

    /// Lines as an editor counts them: the last newline begins none.
    var lineCount: Int { lines.count - (text.hasSuffix("\n") ? 1 : 0) }

    var name: Substring { path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...] }
    var isSwift: Bool { path.hasSuffix(".swift") }
}

/// Leaves out comments and literals. It does not look into interpolations: a quotation mark in one ends the literal
/// early.
private struct CodeScanner {
    private var isInBlockComment = false
    private var isInLongLiteral = false

    mutating func scan(_ line: [UInt8]) -> String {
        var code: [UInt8] = []
        var isInLiteral = false
        var index = 0
        func isAt(_ mark: StaticString) -> Bool {
            // Safe: the text of a literal is there for ever.
            let bytes = unsafe UnsafeBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount)
            return unsafe line[index...].starts(with: bytes)
        }
        while index < line.count {
            if isInBlockComment {
                if isAt("*/") { isInBlockComment = false }
            } else if isAt("\"\"\"") {
                isInLongLiteral.toggle()
                index += 2
            } else if isInLongLiteral {
                // nothing of it is code
            } else if isInLiteral {
                if isAt("\"") { isInLiteral = false }
                if isAt("\\") { index += 1 }
            } else if isAt("//") {
                break
            } else if isAt("/*") {
                isInBlockComment = true
            } else if isAt("\"") {
                isInLiteral = true
            } else {
                code.append(line[index])
            }
            index += 1
        }
        return String(decoding: code, as: UTF8.self)
    }
}
