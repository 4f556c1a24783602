import Foundation
import Testing

/// What Swift can refuse it has to refuse. docs/misuse.md says how: each of its snippets is compiled against the
/// modules under test.
@Suite struct MisuseTests {
    @Test func `the page has mistakes, and what to write instead`() {
        #expect(MisusePage.snippets.count { !$0.complaints.isEmpty } > 20)
        #expect(MisusePage.snippets.count { $0.complaints.isEmpty } > 8)
    }

    @Test(arguments: MisusePage.snippets)
    func `the compiler says of a snippet what the page says`(_ snippet: MisusePage.Snippet) throws {
        let errors = try Self.errors.get()[snippet.line, default: []]
        #if compiler(<6.4)
            #expect(errors == Set(snippet.complaints), "docs/misuse.md, line \(snippet.line)")
        #else
            // A newer compiler may say it in other words than the page, but has to say it.
            #expect(errors.isEmpty == snippet.complaints.isEmpty, "docs/misuse.md, line \(snippet.line)")
        #endif
    }

    /// The errors of each snippet, by its line in the page.
    private static let errors = Result {
        let compiler = try SnippetCompiler(importing: ["Reactor", "Ringcast", "Synchronization", "WebSocketProtocol"])
        for snippet in MisusePage.snippets { try compiler.add(snippet.code, as: snippet.line) }
        return try compiler.errors()
    }
}

/// docs/misuse.md, as a test reads it.
enum MisusePage {
    /// A block of Swift. What the block of text behind it says, one line for each error, is the compiler's; if there is
    /// none it compiles.
    struct Snippet: Sendable, CustomTestStringConvertible {
        let line: Int
        let code: String
        var complaints: [String] = []

        var testDescription: String { "line \(line): \(complaints.first ?? "it compiles")" }
    }

    static let snippets: [Snippet] = {
        var snippets: [Snippet] = []
        var line = 1
        let parts = text.components(separatedBy: "```")
        for (index, part) in parts.enumerated() {
            if !index.isMultiple(of: 2) {
                var lines = part.components(separatedBy: "\n").dropLast()
                switch lines.removeFirst() {
                case "swift": snippets.append(Snippet(line: line, code: lines.joined(separator: "\n")))
                case "text": snippets[snippets.count - 1].complaints = Array(lines)
                case let language: Issue.record("docs/misuse.md:\(line): a block of \(language)")
                }
            }
            line += part.count { $0 == "\n" }
        }
        return snippets
    }()

    private static let text: String = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let page = root.deletingLastPathComponent().appending(path: "docs/misuse.md")
        return (try? String(contentsOf: page, encoding: .utf8)) ?? ""
    }()
}
