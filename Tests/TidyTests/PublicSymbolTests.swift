import Testing

/// Public declarations are found, and others are not.
@Suite struct PublicSymbolTests {
    private func symbols(_ text: String) -> [PublicSymbol] {
        PublicSymbol.all(in: SourceFile(path: "Sources/Some/File.swift", text: text))
    }

    @Test func `a declaration has its comment, its types and its head`() throws {
        let text = """
            /// A thing.
            public struct Outer<Value>: Sendable {
                /// Does it.
                /// - Throws: nothing.
                @discardableResult
                public func act(
                    _ body: @escaping () -> Void = { print("}") }, with: [Int]
                ) async throws(Fault) -> Value {
                    let inner = 1
                    func local() {}
                }
                var hidden = 0
            }
            """
        let found = symbols(text)
        #expect(found.map(\.family) == ["Outer", "Outer.act"])
        let function = try #require(found.last)
        #expect(function.comment == " Does it.\n - Throws: nothing." && function.line == 6)
        #expect(function.says("throws") && !function.says("thread"))
        #expect(function.head.contains("@escaping") && function.outline.contains("async throws"))
        #expect(found[0].outline.contains("Sendable") && !found[0].outline.contains("Value"))
    }

    @Test func `parameters are those that the body knows, and those that the comment tells about`() throws {
        let text = """
            /// Acts.
            /// - Parameters:
            ///   - data: what it
            ///     has.
            ///   - body: what it does.
            /// - Returns: something.
            public func act<A, B>(with data: sending [A: B], _ body: (Int, Int) -> Void, in place: Int = max(1, 2)) {}
            /// Makes one.
            /// - Parameter count: how many.
            public init(_ count: Int) {}
            """
        let found = symbols(text)
        #expect(found.map(\.parameters) == [["data", "body", "place"], ["count"]])
        #expect(found.map(\.describedParameters) == [["data", "body"], ["count"]])
    }

    @Test func `cases of public enums and requirements of public protocols are public`() {
        let text = """
            public enum A {
                case first, second
                var hidden: Int { switch self { case .first: 1 default: 2 } }
            }
            enum B { case hidden }
            public protocol C {
                var value: Int { get }
                func act()
            }
            extension C {
                public func act() {}
            }
            protocol D { func hidden() }
            """
        #expect(symbols(text).map(\.family) == ["A", "A.first", "C", "C.value", "C.act", "C.act"])
    }

    @Test func `what is package or private is not public, and a setter's access says nothing`() {
        let text = """
            package struct A {
                package init() {}
            }
            extension B.Inner {
                public private(set) var count = 0
                public static func < (left: Self, right: Self) -> Bool { true }
                private(set) package var other = 0
                public subscript(_ index: Int) -> Int { index }
                @inlinable public class func make() {}
            }
            """
        #expect(
            symbols(text).map(\.family) == [
                "B.Inner.count", "B.Inner.<", "B.Inner.subscript", "B.Inner.make",
            ])
    }
}
