import Foundation

/// What every file has to keep. A rule looks at one file and says what it finds, one line each.
enum TidyRules {
    static func lengthOfFile(_ file: SourceFile, atMost limit: Int) -> [String] {
        file.lineCount > limit ? ["\(file.path): \(file.lineCount) lines, at most \(limit)"] : []
    }

    static func lengthOfLines(_ file: SourceFile, atMost limit: Int = 120) -> [String] {
        file.lines.enumerated().filter { $0.element.utf8.count > limit && $0.element.count > limit }.map {
            "\(file.path):\($0.offset + 1): \($0.element.count) columns, at most \(limit)"
        }
    }

    /// Counts the lines between the braces of every function, initializer, deinitializer and subscript.
    static func lengthOfFunctions(_ file: SourceFile, atMost limit: Int = 60) -> [String] {
        let code = file.code
        return code.indices.compactMap { start in
            guard beginsFunction(code[start]), let end = endOfBody(from: start, in: code) else { return nil }
            let length = end.closing - end.opening - 1
            return length > limit ? "\(file.path):\(start + 1): a function of \(length) lines, at most \(limit)" : nil
        }
    }

    static func leftovers(_ file: SourceFile) -> [String] {
        // In two parts, or this file would be the first that is found.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        return lines(of: file, matching: "\\b(\(words.joined(separator: "|")))\\b", in: file.lines.map(String.init))
    }

    static func printing(_ file: SourceFile) -> [String] {
        lines(of: file, matching: "\\b(debugPrint|print|dump)\\(", in: file.code)
    }

    static func foundation(_ file: SourceFile) -> [String] {
        lines(of: file, matching: "\\bimport ([a-z]+ )?Foundation", in: file.code)
    }

    static func unsafeFlags(_ file: SourceFile) -> [String] {
        lines(of: file, matching: "-Ounchecked|unsafeFlags", in: file.lines.map(String.init))
    }

    static func vagueName(_ file: SourceFile) -> [String] {
        ["Manager", "Helper", "Util"].filter(file.name.contains).map { "\(file.path): name what it is, not \($0)" }
    }

    /// Programs can be run, say with what, and begin with a sentence that tells what for.
    static func program(_ file: SourceFile) -> [String] {
        var findings: [String] = []
        if !file.isExecutable { findings.append("\(file.path): not executable") }
        if file.lines.first?.hasPrefix("#!/") != true { findings.append("\(file.path): no #! line") }
        let second = file.lines.dropFirst().first ?? ""
        let isComment = second.hasPrefix("# ") || second.hasPrefix("\"\"\"")
        if !isComment || second.split(separator: " ").count < 4 {
            findings.append("\(file.path): its second line does not say what it does")
        }
        return findings
    }

    static func mentions(_ phrase: String, in file: SourceFile) -> Bool {
        file.code.contains { $0.contains(phrase) }
    }

    private static func lines(of file: SourceFile, matching pattern: String, in lines: [String]) -> [String] {
        lines.enumerated().filter { $0.element.range(of: pattern, options: .regularExpression) != nil }.map {
            "\(file.path):\($0.offset + 1): \($0.element.trimmingCharacters(in: .whitespaces))"
        }
    }

    private static func beginsFunction(_ line: String) -> Bool {
        line.range(of: "\\b(func |init[?(<]|deinit\\b|subscript[(<])", options: .regularExpression) != nil
    }

    /// The lines of the first brace from `start` on and of the one that closes it. nil: a requirement without a body.
    private static func endOfBody(from start: Int, in code: [String]) -> (opening: Int, closing: Int)? {
        var depth = 0
        var opening: Int?
        for line in start..<code.count {
            // The next declaration has begun before a brace came.
            if opening == nil, line > start, beginsFunction(code[line]) { return nil }
            for character in code[line] {
                if character == "{" {
                    depth += 1
                    opening = opening ?? line
                } else if character == "}" {
                    depth -= 1
                    if depth == 0, let opening { return (opening, line) }
                    if depth < 0 { return nil }
                }
            }
        }
        return nil
    }
}
