import Foundation
import Testing

/// What README says of itself and of others can be looked up.
@Suite struct ReadmeTests {
    @Test func `it is short, and promises nothing`() {
        #expect(Repository.readme.lineCount <= 150)
        for promise in ["to come", "coming soon", "planned", "not yet"] {
            #expect(!Repository.readme.text.contains(promise), "\(promise)")
        }
    }

    @Test func `each row that compares names a test, and the file that has it`() throws {
        let rows = Repository.readme.lines.drop { $0 != "## Beside others" }.filter { $0.hasPrefix("| ") }.dropFirst()
        #expect(rows.count > 10)
        for row in rows {
            let link = try #require(
                row.components(separatedBy: "|").dropLast().last?.firstMatch(of: /\[`([^`]+)`\]\(([^)]+)\)/), "\(row)")
            let file = Repository.tests.first { $0.path == link.output.2 }
            let isThere = file?.lines.contains { $0.contains("func `\(link.output.1)`(") } ?? false
            #expect(isThere, "\(link.output.2) has no test \"\(link.output.1)\"")
        }
    }
}

/// docs/questions.md answers what it asks.
@Suite struct QuestionTests {
    @Test func `each question was asked in public, and is answered on a page`() {
        let page = Repository.documentation.first { $0.path == "docs/questions.md" }
        let rows = page?.lines.filter { $0.hasPrefix("| ") }.dropFirst() ?? []
        #expect(rows.count >= 10)
        for row in rows {
            let cells = row.components(separatedBy: "|").dropFirst()
            #expect(cells.count == 5 && cells[2].contains("](https://github.com/"), "\(row)")
            #expect(cells.count == 5 && cells[4].contains(".md"), "\(row)")
        }
    }
}

/// Links of the pages lead somewhere.
@Suite struct LinkTests {
    private static let pages = Repository.documentation + [Repository.readme, Repository.contributing]

    @Test func `every link to a file of the repository leads to one, and every link to a heading`() {
        var count = 0
        var headings: [String: Set<String>] = [:]
        for page in Self.pages {
            for (target, line) in links(in: page) where !target.contains("://") && !target.hasPrefix("mailto:") {
                count += 1
                let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts[0].isEmpty ? page.path : resolved(String(parts[0]), from: page.path)
                let url = Repository.root.appending(path: path)
                #expect(FileManager.default.fileExists(atPath: url.path), "\(page.path):\(line): \(target)")
                if parts.count == 2, path.hasSuffix(".md") {
                    let there = headings[path] ?? (try? String(contentsOf: url, encoding: .utf8)).map(anchors) ?? []
                    headings[path] = there
                    #expect(there.contains(String(parts[1])), "\(page.path):\(line): \(target)")
                }
            }
        }
        #expect(count > 100)
    }

    @Test func `docs/README.md lists every page`() {
        let index = Repository.documentation.first { $0.path == "docs/README.md" }?.text ?? ""
        for page in Repository.documentation where page.path.split(separator: "/").count == 2 {
            guard page.name != "README.md" else { continue }
            #expect(index.contains("](\(page.name))"), "\(page.path) is not in docs/README.md")
        }
    }

    private func links(in page: SourceFile) -> [(target: String, line: Int)] {
        var isCode = false
        return page.lines.enumerated().flatMap { index, line -> [(String, Int)] in
            if line.hasPrefix("```") { isCode.toggle() }
            guard !isCode, line.contains("](") else { return [] }
            // What is quoted in a line is no link.
            let quoted = line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            let text = quoted.map { $0.offset.isMultiple(of: 2) ? $0.element : "" }.joined(separator: "`")
            return text.components(separatedBy: "](").dropFirst().compactMap { rest in
                rest.firstIndex(of: ")").map { (String(rest[..<$0]), index + 1) }
            }
        }
    }

    private func resolved(_ path: String, from page: String) -> String {
        var parts = page.split(separator: "/").dropLast().map(String.init)
        for part in path.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    /// As the forges make them of headings.
    private func anchors(of text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
                heading.drop { $0 == "#" || $0 == " " }.lowercased()
                    .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
                    .replacing(" ", with: "-")
            })
    }
}
