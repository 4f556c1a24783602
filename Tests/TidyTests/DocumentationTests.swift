import Foundation
import Testing

/// What the documentation prints is what the tests compile and run.
@Suite struct DocumentationTests {
    /// Pages all of whose Swift is also in these tests, line by line.
    @Test(arguments: [("docs/state-and-threads.md", ["StatePageTests.swift", "ThreadPageTests.swift"])])
    func `the code of a page is that of its tests`(_ page: String, _ tests: [String]) {
        let text = Repository.documentation.first { $0.path == page }?.text ?? ""
        let blocks = text.components(separatedBy: "```swift\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```").first }
        let tested = tests.map { name in
            Repository.tests.filter { $0.name == name }.flatMap { code(in: $0.text) }
        }
        #expect(blocks.count > 5)
        for block in blocks {
            let code = code(in: block)
            #expect(!code.isEmpty && tested.contains { $0.contains(code) }, "\(page): in none of its tests:\n\(block)")
        }
    }

    @Test func `every public type that cannot be copied or kept is in the page on misuse`() {
        let pattern = /public (?:struct|enum) ([A-Za-z]+)(?:<[^>]*>)?: ~(?:Escapable|Copyable)/
        let types = Repository.sources.flatMap { file in
            file.code.compactMap { $0.firstMatch(of: pattern).map { String($0.output.1) } }
        }
        #expect(types.contains("WebSocket") && types.contains("FrameDecoder"))
        let page = Repository.documentation.first { $0.path == "docs/misuse.md" }
        let headings = page?.lines.filter { $0.hasPrefix("## ") } ?? []
        for type in types {
            #expect(headings.contains { $0.contains("`\(type)`") }, "docs/misuse.md has no section on \(type)")
        }
    }

    private func code(in text: String) -> [String] {
        text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}

/// docs/comparison has counted right.
@Suite struct ComparisonTests {
    @Test func `the example with its tests has at most 150 lines, and the page on it says how many`() {
        let program = count(
            "Examples/Rooms/main.swift", "Examples/Rooms/Application.swift", "Examples/Rooms/Rooms.swift")
        let tests = count("Examples/Rooms/Tests/RoomsTests.swift")
        let page = count("docs/comparison/page.html")
        #expect(program > 50 && program + tests <= 150)
        #expect(hasRow("Ringcast", "\(program) | \(tests) | \(page) |"))
        for (name, file) in [("Bun", "rooms.ts"), ("Node", "rooms.mjs"), ("Hummingbird", "rooms-hummingbird.swift")] {
            #expect(hasRow(name, "\(count("docs/comparison/\(file)")) | none | \(page) |"))
        }
    }

    @Test func `all four serve the same page`() throws {
        let literal = try #require(
            text("Examples/Rooms/Page.swift").components(separatedBy: "#\"\"\"\n").dropFirst().first)
        let lines = literal.components(separatedBy: "    \"\"\"#")[0].components(separatedBy: "\n").dropLast()
        #expect(lines.map { String($0.dropFirst(4)) + "\n" }.joined() == text("docs/comparison/page.html"))
    }

    private func text(_ path: String) -> String {
        (try? String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)) ?? ""
    }

    /// As `grep -cvE '^\s*($|//)'` counts.
    private func count(_ paths: String...) -> Int {
        paths.flatMap { text($0).components(separatedBy: "\n") }.count { line in
            let code = line.trimmingCharacters(in: .whitespaces)
            return !code.isEmpty && !code.hasPrefix("//")
        }
    }

    private func hasRow(_ name: String, _ end: String) -> Bool {
        text("docs/comparison/README.md").components(separatedBy: "\n").contains {
            $0.hasPrefix("| \(name)") && $0.hasSuffix(end)
        }
    }
}

/// docs/stability.md promises what the code keeps.
@Suite struct StabilityTests {
    @Test func `a public enum may grow, and the compiler says so, or the page says that it is closed`() throws {
        let page = try #require(Repository.documentation.first { $0.path == "docs/stability.md" })
        let sentence = try #require(page.text.firstMatch(of: /All other enums are closed(?:.|\n)*?\n\n/)).output
        let named = Set(sentence.matches(of: /`([A-Za-z.]+)`/).map { String($0.output.1) })
        let closed = PublicDocumentationTests.symbols.filter { symbol in
            symbol.kind == .type && symbol.head.contains("enum ") && !symbol.head.contains("@nonexhaustive")
                && PublicDocumentationTests.symbols.contains { $0.kind == .enumCase && $0.owner == symbol.family }
        }
        #expect(closed.count > 5)
        #expect(Set(closed.map(\.family)) == named)
    }
}
