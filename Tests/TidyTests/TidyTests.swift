import Foundation
import Testing

/// The repository keeps its own rules. Each list of exceptions stands here, so that a new one has to be argued for.
@Suite struct TidyTests {
    @Test func `the files of the repository are found`() {
        #expect(Repository.sources.count > 100 && Repository.tests.count > 30 && Repository.scripts.count > 10)
        #expect(Repository.sources.contains { $0.path == "Sources/Reactor/EventLoop.swift" && $0.lineCount > 50 })
    }

    @Test func `files are short`() {
        expectNothing(Repository.sources.flatMap { TidyRules.lengthOfFile($0, atMost: 300) })
        expectNothing(Repository.tests.flatMap { TidyRules.lengthOfFile($0, atMost: 400) })
        expectNothing(Repository.examples.flatMap { TidyRules.lengthOfFile($0, atMost: 60) })
    }

    @Test func `functions fit a screen`() {
        expectNothing(Repository.allSwift.flatMap { TidyRules.lengthOfFunctions($0) })
    }

    @Test func `no line is longer than 120 columns`() {
        expectNothing(Repository.allSwift.flatMap { TidyRules.lengthOfLines($0) })
    }

    @Test func `nothing is left to be done later`() {
        expectNothing((Repository.allSwift + Repository.scripts).flatMap(TidyRules.leftovers))
    }

    @Test func `libraries do not print`() {
        expectNothing(Repository.libraries.flatMap(TidyRules.printing))
    }

    /// `Ringcast` and all below it do without it; JSON is from the part of it that needs no C library and no ICU.
    @Test func `Foundation is imported for JSON only`() {
        #expect(
            Repository.sources.flatMap(TidyRules.foundation) == [
                "Sources/LoadTesting/JSON.swift:1: internal import FoundationEssentials",
                "Sources/RingcastCluster/NATS/NATSIntroduction.swift:1: import FoundationEssentials",
                "Sources/RingcastJSON/JSONCoding.swift:1: public import FoundationEssentials",
            ])
    }

    @Test func `files are named for what they hold`() {
        expectNothing(Repository.allSwift.flatMap(TidyRules.vagueName))
    }

    /// Where the compiler's proof of thread safety is replaced by a comment's.
    @Test func `types that are unchecked for sending are counted`() {
        #expect(
            Repository.sources.filter { TidyRules.mentions("@unchecked Sendable", in: $0) }.map(\.path) == [
                // Workers of a load, each used on its loop only: the base class, and its subclasses.
                "Sources/LoadTesting/Engine/ChatWorker.swift",
                "Sources/LoadTesting/Engine/ChurnWorker.swift",
                "Sources/LoadTesting/Engine/EchoWorker.swift",
                "Sources/LoadTesting/Engine/FanoutWorker.swift",
                "Sources/LoadTesting/Engine/MixedWorker.swift",
                "Sources/LoadTesting/Engine/Worker.swift",
                "Sources/PubSub/SharedFrame.swift",  // immutable bytes behind an atomic count
                "Sources/PubSub/TopicEntry.swift",  // atomic words, and an index per loop that this loop alone uses
                "Sources/Reactor/ConnectionHandler.swift",  // ServiceMessage: four words, given up by who posts them
                "Sources/Reactor/JobQueue.swift",  // nodes handed over by release and acquire
                "Sources/Reactor/LoopDirectory.swift",  // written once, and published by an atomic pointer
                "Sources/Reactor/Mailbox.swift",  // lanes with one producer and one consumer each
                "Sources/Reactor/Semaphore.swift",  // sem_t is made for several threads
                "Sources/Reactor/TLS/TLSContext.swift",  // immutable, around an SSL_CTX, which OpenSSL counts and locks
                "Sources/Reactor/TLS/TicketKeys.swift",  // 80 bytes that nothing changes
                "Sources/Ringcast/HTTP/UpgradeData.swift",  // sent into it, and out of it once
                "Sources/Ringcast/Server/LoopBound.swift",  // looked at on its loop only
                "Sources/Ringcast/Session/ErasedHandlers.swift",  // an abstract class whose subclass holds constants
                "Sources/SystemCalls/WakeUpEvent.swift",  // an eventfd, and 8 bytes that one ring writes
            ])
    }

    @Test func `values that are unchecked for isolation are counted`() {
        #expect(
            Repository.sources.filter { TidyRules.mentions("nonisolated(unsafe)", in: $0) }.map(\.path) == [
                "Sources/Reactor/EventLoop.swift",  // a handler without state
                "Sources/Ringcast/WebSocket/WebSocketRef.swift",  // a closure that is sent, and called once
            ])
    }

    @Test func `the package is built with the checks on`() {
        expectNothing(TidyRules.unsafeFlags(Repository.manifest))
    }

    @Test func `scripts can be run and say what they do`() {
        // What is only read or imported by others has no #! line and needs none.
        let programs = Repository.scripts.filter { file in
            file.isExecutable || file.text.hasPrefix("#!") || file.path.split(separator: "/").count == 2
        }
        #expect(programs.count > 8)
        expectNothing(programs.flatMap(TidyRules.program))
    }

    @Test func `every script has its row in CONTRIBUTING`() {
        let rows = Repository.contributing.text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let scripts = Repository.scripts.map(\.path).filter {
            $0.hasPrefix("Scripts/") && $0.split(separator: "/").count == 2
        }
        #expect(scripts.count > 30)
        expectNothing(
            scripts.filter { script in !rows.contains { $0.hasPrefix("| `\(script)`") || $0.hasPrefix("| `\(script) ") }
            })
    }

    @Test func `the versions of a user's packages are the user's`() throws {
        expectNothing(try Repository.tracked("Package.resolved").split(separator: "\n").map(String.init))
    }

    /// All but where it listens. What the test adds in between or behind it (the client's is a function of its own)
    /// would make a program work that does not as it is printed.
    @Test(arguments: [("README.md", "ExampleTests.swift", false), ("docs/client.md", "ClientExampleTests.swift", true)])
    func `the first example of a page is one that is tested`(_ page: String, _ name: String, _ isWhole: Bool) throws {
        let text = (Repository.documentation + [Repository.readme]).first { $0.path == page }?.text
        let readme = text?.components(separatedBy: "```swift\n").dropFirst().first
        let example = try #require(readme?.components(separatedBy: "```").first)
        let tested = try #require(Repository.tests.first { $0.name == name })
        let elsewhere = ["import Ringcast", "struct Guest", "let server =", "try await server.run()"]
        let code = SourceFile(path: "example.swift", text: example).code.map(normalized)
            .filter { line in !line.isEmpty && !elsewhere.contains(where: line.hasPrefix) }
        var rest = tested.code.map(normalized)[...]
        #expect(code.count > 10)
        for line in code {
            let position = try #require(rest.firstIndex(of: line), "not in the test, or in another order: \(line)")
            let added = rest[..<position].filter { !$0.isEmpty }
            if isWhole, line != code.first { #expect(added == [], "in the test only, in front of: \(line)") }
            rest = rest[(position + 1)...]
        }
        if isWhole { #expect(rest.first { !$0.isEmpty } == "}", "the test goes on where the example ends") }
    }

    private func normalized(_ line: String) -> String {
        line.trimmingCharacters(in: .whitespaces)
    }

    private func expectNothing(_ findings: [String], _ location: SourceLocation = #_sourceLocation) {
        #expect(findings.isEmpty, "\(findings.joined(separator: "\n"))", sourceLocation: location)
    }
}
