import Foundation
import Testing

/// All Swift of these pages compiles. What a piece takes for granted stands in front of it, in a comment that readers
/// do not see: `<!-- given`, declarations, `-->`. A manifest of a package is no piece of a program.
@Suite struct PageCodeTests {
    static let pages = [
        "README.md", "docs/async.md", "docs/backpressure.md", "docs/client.md", "docs/cluster.md", "docs/deploying.md",
        "docs/from-bun.md", "docs/from-hummingbird.md", "docs/getting-started.md", "docs/http.md", "docs/metrics.md",
        "docs/questions.md", "docs/testing.md", "docs/tls.md", "docs/topics.md", "docs/turn.md",
    ]

    @Test(arguments: pages)
    func `the code of a page compiles`(_ page: String) throws {
        let errors = try Self.errors.get()
        for snippet in Self.snippets where snippet.page == page {
            let found = errors[snippet.number, default: []].sorted().joined(separator: "\n")
            #expect(found.isEmpty, "\(page):\(snippet.line): \(found)\n\(snippet.code)")
        }
    }

    @Test func `the pages have code`() {
        #expect(Self.snippets.count > 30)
        #expect(Set(Self.snippets.map(\.page)).count > 6)
    }

    @Test func `what a piece takes for granted belongs to the next one alone`() {
        let text = """
            <!-- given
            let a = 1
            -->
            ```swift
            print(a)
            ```
            ```text
            none
            ```
            ```swift
            print(2)
            ```
            """
        let snippets = Snippet.all(in: text, of: "page.md")
        #expect(snippets.map(\.code) == ["let a = 1\nprint(a)", "print(2)"] && snippets.map(\.line) == [4, 10])
    }

    struct Snippet: Sendable {
        let page: String
        let line: Int
        let code: String
        var number = 0

        static func all(in text: String, of page: String) -> [Snippet] {
            var snippets: [Snippet] = []
            var given: [Substring] = []
            var piece: (line: Int, isSwift: Bool, lines: [Substring])?
            var isGiven = false
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                if isGiven {
                    isGiven = line != "-->"
                    if isGiven { given.append(line) }
                } else if line == "<!-- given" {
                    isGiven = true
                } else if let (first, isSwift, lines) = piece {
                    guard line.hasPrefix("```") else {
                        piece?.lines.append(line)
                        continue
                    }
                    piece = nil
                    if isSwift, !lines.contains("import PackageDescription") {
                        let code = (given + lines).joined(separator: "\n")
                        snippets.append(Snippet(page: page, line: first, code: code))
                    }
                    given = []
                } else if line.hasPrefix("```") {
                    piece = (index + 1, line == "```swift", [])
                }
            }
            return snippets
        }
    }

    private static let snippets: [Snippet] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let all = pages.flatMap { page in
            Snippet.all(in: (try? String(contentsOf: root.appending(path: page), encoding: .utf8)) ?? "", of: page)
        }
        return all.enumerated().map { number, snippet in
            var snippet = snippet
            snippet.number = number
            return snippet
        }
    }()

    private static let errors = Result {
        let compiler = try SnippetCompiler(importing: [
            "Foundation", "Ringcast", "RingcastCluster", "RingcastJSON", "RingcastMetrics", "RingcastTesting",
            "Synchronization", "Testing",
        ])
        for snippet in snippets { try compiler.add(snippet.code, as: snippet.number, isAsync: true) }
        return try compiler.errors()
    }
}
