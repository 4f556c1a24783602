import Testing

@testable import HTTPProtocol

/// Random routes and paths, against a matcher that goes through all routes and takes the first one by the rule.
@Suite struct RouteModelTests {
    private static let words = [
        "a", "b", "ab", "", "a b", "a/b", "abcdefgh", "abcdefgi", "abcdefghijklmnop", "abcdefghijklmnoq",
        "abcdefgh-middle-ijklmnop", "abcdefgh-muddle-ijklmnop", "%", "é",
    ]

    /// A route, and in what order those that match the same path are tried: by its segments, from the left.
    private struct Model {
        let text: String
        let segments: [RoutePattern.Segment]
        let methods: RouteMethods

        var rank: [Int] {
            segments.map { if case .literal = $0 { 0 } else if case .parameter = $0 { 1 } else { 2 } }
        }

        func matches(_ path: [[UInt8]]) -> Bool {
            for (index, segment) in segments.enumerated() {
                switch segment {
                case .rest: return path.count > index
                case .parameter: guard path.count > index, !path[index].isEmpty else { return false }
                case .literal(let literal): guard path.count > index, path[index] == literal else { return false }
                }
            }
            return path.count == segments.count
        }
    }

    /// Encodes what has to be, and some letters that need not.
    private func encoded(_ word: String, by random: inout SplitMix64) -> String {
        word.utf8.map { byte in
            let isPlain = 0x61...0x7A ~= byte || byte == 0x2D
            guard !isPlain || Int.random(in: 0..<10, using: &random) == 0 else {
                return String(UnicodeScalar(byte))
            }
            let digits = String(byte, radix: 16, uppercase: Bool.random(using: &random))
            return "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }

    private func route(by random: inout SplitMix64) throws -> Model {
        let count = Int.random(in: 1...4, using: &random)
        var parts: [String] = []
        for index in 0..<count {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: parts.append(":p\(index)")
            case 1 where index == count - 1: parts.append("*")
            default:
                let word = Self.words.randomElement(using: &random)!
                parts.append(word.isEmpty && index < count - 1 ? "a" : encoded(word, by: &random))
            }
        }
        let text = "/" + parts.joined(separator: "/")
        let methods = RouteMethods(index: Int.random(in: 0..<3, using: &random))
        return Model(text: text, segments: try RoutePattern(text).segments, methods: methods)
    }

    /// A random path, or one that fits a route in most segments.
    private func path(near routes: [Model], by random: inout SplitMix64) -> [String] {
        guard let route = routes.randomElement(using: &random), Int.random(in: 0..<4, using: &random) > 0 else {
            return (0...Int.random(in: 0...4, using: &random)).map { _ in Self.words.randomElement(using: &random)! }
        }
        var path = route.segments.flatMap { segment in
            switch segment {
            case .literal(let bytes): [String(decoding: bytes, as: UTF8.self)]
            case .parameter: [Self.words.randomElement(using: &random)!]
            case .rest:
                (0...Int.random(in: 0...2, using: &random)).map { _ in Self.words.randomElement(using: &random)! }
            }
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            path[Int.random(in: 0..<path.count, using: &random)] = Self.words.randomElement(using: &random)!
        }
        return path
    }

    @Test func `the tree finds what the rule says`() throws {
        var random = SplitMix64(state: 0x726F_7574_6573)
        var hits = 0
        for round in 0..<400 {
            let routes = try (0..<Int.random(in: 1...40, using: &random)).map { _ in try route(by: &random) }
            let tree = RouteTree(try routes.map { (try RoutePattern($0.text), $0.methods) })
            for _ in 0..<100 {
                let words = path(near: routes, by: &random)
                let text = "/" + words.map { encoded($0, by: &random) }.joined(separator: "/")
                hits += check(text, words.map { Array($0.utf8) }, tree, routes, round) ? 1 : 0
            }
        }
        #expect(hits > 10_000)
    }

    /// Compares one search for each method with the rule, and tells whether a route was found.
    private func check(
        _ text: String, _ path: [[UInt8]], _ tree: RouteTree, _ routes: [Model], _ round: Int
    ) -> Bool {
        // What follows the path in a head must not matter.
        let bytes = Array((text + "/x%").utf8)
        let matching = routes.filter { $0.matches(path) }
        var isFound = false
        for wanted in [
            RouteMethods(index: 0), RouteMethods(index: 2), [RouteMethods(index: 0), RouteMethods(index: 1)],
        ] {
            let found = tree.search(0..<text.utf8.count, in: bytes.rawSpan, for: wanted)
            let possible = matching.filter { !$0.methods.isDisjoint(with: wanted) }
            let best = possible.map(\.rank).min { $0.lexicographicallyPrecedes($1) }
            let ranks = routes.indices.filter { tree.endpoints[$0] == found.endpoint }.map { routes[$0].rank }
            #expect(ranks.first == best, "round \(round): \(text) among \(routes.map(\.text))")
            #expect(found.endpoint == nil || possible.contains { $0.rank == best && $0.matches(path) })
            if best == nil {
                #expect(found.methods == matching.reduce(into: RouteMethods()) { $0.formUnion($1.methods) })
            } else {
                isFound = true
                let decoded = (0..<found.parameters.count).map {
                    PercentDecoding.string(found.parameters[$0], of: bytes.rawSpan, plusIsSpace: false)
                }
                #expect(decoded == parameters(of: path, by: best ?? []))
            }
        }
        return isFound
    }

    /// What the parameters of a route are: its ranks say where they stand.
    private func parameters(of path: [[UInt8]], by ranks: [Int]) -> [String] {
        ranks.indices.compactMap { index in
            switch ranks[index] {
            case 1: String(decoding: path[index], as: UTF8.self)
            case 2: path[index...].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
            default: nil
            }
        }
    }
}
