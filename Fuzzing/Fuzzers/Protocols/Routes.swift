import FuzzSupport
@testable import HTTPProtocol

/// Routes, and paths that are looked for among them: a line for each route, up to an empty one, then a line for each
/// path.
enum Routes {
    private static let mostRoutes = 12

    static func run(_ input: inout FuzzInput) {
        var routes: [RouteReference] = []
        var patterns: [(pattern: RoutePattern, methods: RouteMethods)] = []
        while routes.count < mostRoutes {
            let line = input.take(until: 0x0A)
            guard let first = line.first else { break }
            // A pattern is text: what is not UTF-8 is repaired before either of the two reads it.
            let text = String(decoding: line.dropFirst(), as: UTF8.self)
            let methods = RouteMethods(rawValue: UInt32(first & 7))
            let reference = RouteReference(Array(text.utf8), methods)
            do throws(UnfitRoutePattern) {
                patterns.append((try RoutePattern(text), methods))
                guard let reference else { fatalError("a pattern that is none: \(text)") }
                routes.append(reference)
            } catch {
                require(reference == nil && !error.reason.isEmpty, "no pattern: \(text) \(error.reason)")
            }
        }
        let tree = RouteTree(patterns)
        checkEndpoints(of: tree, routes)
        var paths = 0
        while !input.isEmpty, paths < 8 {
            let path = input.take(until: 0x0A)
            search(for: path, in: tree, routes)
            checkDecoding(of: path)
            paths += 1
        }
    }

    /// Routes have an endpoint in common if they differ in no more than their parameters' names.
    private static func checkEndpoints(of tree: RouteTree, _ routes: [RouteReference]) {
        require(tree.endpoints.count == routes.count, "\(tree.endpoints.count) endpoints")
        for (index, route) in routes.enumerated() {
            let first = routes.firstIndex { $0.segments == route.segments } ?? index
            require(tree.endpoints[index] == tree.endpoints[first], "one path has two endpoints")
        }
        let shapes = routes.indices.count { index in
            !routes[..<index].contains { $0.segments == routes[index].segments }
        }
        require(tree.endpointCount == shapes, "\(tree.endpointCount) endpoints for \(shapes) paths")
    }

    private static func search(for path: [UInt8], in tree: RouteTree, _ routes: [RouteReference]) {
        // What lies around the path in a head must not matter.
        let bytes = [0x2F, 0x25, 0x32] + path + [0x2F, 0x61, 0x25]
        let place = 3..<(3 + path.count)
        let segments = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let matches = routes.map { $0.match(segments) }
        for wanted in [1, 2, 7] as [UInt32] {
            let found = tree.search(place, in: bytes.span.bytes, for: RouteMethods(rawValue: wanted))
            var best: Int?
            var methods: RouteMethods = []
            for (index, route) in routes.enumerated() where matches[index] != nil {
                methods.formUnion(route.methods)
                guard route.methods.rawValue & wanted != 0 else { continue }
                if let other = best, !route.goesBefore(routes[other]) { continue }
                best = index
            }
            let expected = best.map { tree.endpoints[$0] }
            require(found.endpoint == expected, "\(found) instead of route \(best ?? -1)")
            guard let best, let parameters = matches[best] else {
                require(found.methods == methods, "methods \(found.methods), and there are \(methods)")
                continue
            }
            require(found.parameters.count == parameters.count, "\(found.parameters.count) parameters")
            for (number, index) in parameters.enumerated() {
                let isRest = routes[best].segments[index] == .rest
                let end = isRest ? path.endIndex : segments[index].endIndex
                let expected = 3 + segments[index].startIndex..<3 + end
                require(found.parameters[number] == expected, "parameter \(number): \(found), not \(expected)")
            }
        }
    }

    private static func checkDecoding(of text: [UInt8]) {
        let bytes = [0x25] + text + [0x34, 0x31]
        let place = 1..<(1 + text.count)
        for plusIsSpace in [false, true] {
            let expected = String(decoding: RouteReference.decoded(text, plusIsSpace: plusIsSpace), as: UTF8.self)
            let decoded = PercentDecoding.string(place, of: bytes.span.bytes, plusIsSpace: plusIsSpace)
            require(decoded == expected, "\(decoded) instead of \(expected)")
            func isEqual(_ text: String) -> Bool {
                PercentDecoding.equals(place, of: bytes.span.bytes, plusIsSpace: plusIsSpace, text)
            }
            // What was repaired is another text than its bytes.
            let isText = Array(expected.utf8) == RouteReference.decoded(text, plusIsSpace: plusIsSpace)
            require(isEqual(expected) == isText, "equal or not to \(expected)")
            require(!isEqual(expected + "x") && (text.isEmpty || !isEqual("")), "equal to another text")
        }
        let text = String(decoding: text, as: UTF8.self)
        let expected = RouteReference.decoded(Array(text.utf8))
        require(PercentDecoding.decodedBytes(text) == expected, "\(text) is decoded otherwise")
        require(PercentDecoding.decoded(text) == String(decoding: expected, as: UTF8.self), "\(text) as text")
    }
}
