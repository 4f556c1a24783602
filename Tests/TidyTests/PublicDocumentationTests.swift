import Testing

/// What the comments of public declarations have to say, besides what the declaration is.
///
/// A type speaks for its members, and for the types in it; a function for its overloads, and a requirement for the
/// default that it has; "see `that`" and "as `that`" point to where it is said.
@Suite struct PublicDocumentationTests {
    /// Of the products; what the tool and the load generator have is nobody's to import.
    static let symbols = Repository.libraries
        .filter { !$0.path.hasPrefix("Sources/LoadTesting/") }.flatMap(PublicSymbol.all)
    private static let families = Dictionary(grouping: symbols, by: \.family)
    private static let protocols = Set(symbols.filter { $0.head.contains("protocol ") }.map(\.family))

    @Test func `public declarations are found`() {
        #expect(Self.symbols.count > 1_000 && Self.handles.count > 20)
        for family in [
            "WebSocket.subscribe", "Server.init", "SendResult.dropped", "Backplane.publish", "MaskingKey.rawValue",
            "WebSocketClient.Messages.Iterator.next", "RequestTracing.trace",
        ] { #expect(Self.families[family] != nil, "\(family)") }
    }

    @Test func `each has a comment`() {
        expectNothing(
            Self.symbols.filter { symbol in
                symbol.comment.isEmpty
                    && !(Self.protocols.contains(symbol.owner)
                        && Self.families[symbol.family]!.contains(where: \.isSaid))
            }, "no comment")
    }

    /// Of what is `Sendable` and a value the compiler says it: anywhere. All else belongs to somebody.
    @Test func `what is no value that can be sent says on which threads it may be used`() {
        let said = "\\bthreads?\\b|\\bloops?\\b|\\btasks?\\b|thread-safe"
        expectNothing(Self.handles.filter { !says($0, said) }, "which threads?")
    }

    @Test func `functions of what is no mere value say what they cost`() {
        let owners = Set(Self.handles.map(\.family) + ["WebSocketRef", "BodyWriter", "Routes", "Topic"])
        let said = "\\bcosts?\\b|allocat|\\bcop(y|ies)\\b|\\block\\b|O\\(|nanosecond|system call"
        let functions = Self.symbols.filter { $0.kind == .function && owners.contains($0.owner) }
            .filter { !$0.file.contains("Testing/") }
        #expect(functions.count > 200)
        expectNothing(functions.filter { !says($0, said) }, "what does it cost?")
    }

    @Test func `functions that throw say what`() {
        let functions = Self.symbols.filter {
            $0.kind == .function && $0.outline.contains("throws") && !$0.outline.contains("rethrows")
        }
        #expect(functions.count > 50)
        expectNothing(functions.filter { !says($0, "throw|error|\\bfails?\\b|refus") }, "throws what?")
    }

    /// As DocC asks.
    @Test func `a comment that tells about one parameter tells about all, and about no others`() {
        let functions = Self.symbols.filter { $0.kind == .function && !$0.describedParameters.isEmpty }
        #expect(functions.count > 50)
        expectNothing(functions.filter { $0.describedParameters != $0.parameters }, "of which parameters?")
    }

    @Test func `functions that are awaited say for what`() {
        let functions = Self.symbols.filter { $0.kind == .function && $0.outline.contains("async") }
        #expect(functions.count > 30)
        expectNothing(
            functions.filter { !says($0, "wait|\\bturn|until|cancel|\\bwhen\\b|\\bonce\\b") }, "waits for what?")
    }

    @Test func `functions that keep a closure say where it is called`() {
        let functions = Self.symbols.filter { $0.kind == .function && $0.head.contains("@escaping") }
        #expect(functions.count > 30)
        expectNothing(functions.filter { !says($0, "\\bthread|\\bloop|\\btask") }, "called where?")
    }

    /// Types that are more than values: with an identity, lent, owned by one place, or not to be sent.
    private static let handles = symbols.filter { symbol in
        guard symbol.kind == .type, !symbol.head.contains("typealias "), !symbol.head.contains("associatedtype ")
        else { return false }
        let isReference = ["class ", "protocol ", "actor "].contains(where: symbol.head.contains)
        let isSent = ["Sendable", "Error", "InstantProtocol", "JSONCoding"].contains(where: symbol.outline.contains)
        return isReference || symbol.outline.contains("~") || (symbol.head.contains("struct ") && !isSent)
    }

    private func says(_ symbol: PublicSymbol, _ pattern: String) -> Bool {
        let ownTypes = symbol.owners.indices.map { symbol.owners[...$0].joined(separator: ".") }
        let speakers = (ownTypes + [symbol.family]).flatMap { Self.families[$0] ?? [] }
        return speakers.contains { $0.says(pattern) } || symbol.says("(see|as|by the name that Bun gives it).*`|`.*Bun")
    }

    private func expectNothing(_ found: [PublicSymbol], _ what: String, _ location: SourceLocation = #_sourceLocation) {
        let lines = found.map { "\($0.place): \(what)" }
        #expect(lines.isEmpty, "\(lines.count)\n\(lines.joined(separator: "\n"))", sourceLocation: location)
    }
}
