import ReactorTesting
import SystemCalls
import Testing

@testable import Ringcast

/// What is written about metrics is what there is.
@Suite(.endingAll) struct MetricDocumentationTests {
    private static var families: [MetricFamily] {
        let cluster = ClusterStatistics(
            isConnected: true, published: 0, received: 0, dropped: 0, disconnects: 0, gaps: 0, historyGaps: 0,
            topics: 0, roundTrip: nil)
        return SimulatedServer(fetch: { _ in .response(.ok) }).server.metrics + cluster.metrics
    }

    private static func text(_ path: String) throws -> String {
        let tests = try #require(#filePath.firstRange(of: "/Tests/"))
        return try #require(SystemFile.read("\(#filePath[..<tests.lowerBound])/\(path)"))
    }

    /// What stands between backticks.
    private static func names(in cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
    }

    @Test func `docs/metrics.md has every metric, with its type and labels`() throws {
        let rows = try Self.text("docs/metrics.md").split(separator: "\n").filter { $0.hasPrefix("| `ringcast_") }
        let written = Set(
            rows.map { row in
                let cells = row.split(separator: "|", omittingEmptySubsequences: false)
                let kind = cells[2].split(separator: " ").joined()
                return "\(Self.names(in: cells[1])) \(kind) \(Self.names(in: cells[3]))"
            })
        let real = Set(
            Self.families.map { family in
                "\([family.name]) \(family.kind.rawValue) \(family.samples[0].labels.map(\.name))"
            })
        #expect(written == real, "\(written.symmetricDifference(real).sorted())")
        #expect(rows.count == Self.families.count)
    }

    @Test func `the dashboard asks for metrics that there are, and for labels that they have`() throws {
        let dashboard = try Self.text("docs/grafana-dashboard.json")
        let words = dashboard.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        let asked = Set(words.filter { $0.hasPrefix("ringcast_") })
        var real: Set<Substring> = []
        for family in Self.families {
            let suffixes = family.kind == .histogram ? ["_bucket", "_sum", "_count"] : [""]
            real.formUnion(suffixes.map { Substring(family.name + $0) })
        }
        #expect(asked.isSubset(of: real), "\(asked.subtracting(real))")
        #expect(asked.count > 20)
        let labels = Set(Self.families.flatMap { $0.samples.flatMap { $0.labels.map { Substring($0.name) } } })
        for label in ["reason", "policy", "code", "class", "result", "loop"] as [Substring] {
            #expect(labels.contains(label) && words.contains(label))
        }
    }

    @Test func `names are Prometheus's: a prefix, units, and _total behind counters alone`() {
        for family in Self.families {
            #expect(family.name.hasPrefix("ringcast_"))
            #expect(family.name.hasSuffix("_total") == (family.kind == .counter), "\(family.name)")
            #expect(!family.help.isEmpty && family.help.hasSuffix("."))
        }
        #expect(Set(Self.families.map(\.name)).count == Self.families.count)
    }
}
