/// The paths of all routes as a tree of their segments, in which the path of a request is found by its bytes.
///
/// In each segment a literal goes before a parameter, and that before `*`: what comes first is tried first, and what
/// leads to no route with a method that is wanted is left again. Segments are compared percent-decoded, so that `%2F`
/// never divides one. A search looks at each node of the tree once at most, and allocates nothing. Built once, then
/// used from any thread.
package struct RouteTree: Sendable {
    struct Node {
        /// The node below `:name`, and the one below `*`; -1 for none.
        var parameter: Int32 = -1
        var rest: Int32 = -1
        /// The number of the paths that end here; -1 for none.
        var endpoint: Int32 = -1
        var methods: RouteMethods = []
        var hasLiterals = false
    }

    /// The way from a node to its child by a literal segment.
    struct Edge {
        var key = SegmentKey()
        /// Where the segment's bytes begin in `literals`; used where the key does not cover them.
        var literal: Int32 = 0
        var parent: Int32 = -1
        /// -1 marks a free place of the table.
        var child: Int32 = -1
    }

    private(set) var nodes = [Node()]
    /// All edges in one table with open addressing: a power of two, at most half of it used.
    private(set) var edges = [Edge()]
    /// The bytes of all literals.
    private(set) var literals: [UInt8] = []
    /// How many different paths there are, names of parameters aside.
    package private(set) var endpointCount = 0
    /// The endpoint of each route, in their order.
    package private(set) var endpoints: [Int] = []

    /// Builds the tree. Routes may have a path in common, and even a method: the caller sees it by their endpoints.
    package init(_ routes: [(pattern: RoutePattern, methods: RouteMethods)]) {
        var ways: [LiteralWay: Int32] = [:]
        for route in routes {
            var node: Int32 = 0
            for segment in route.pattern.segments { node = child(of: node, segment, &ways) }
            let index = Int(node)
            if nodes[index].endpoint < 0 {
                nodes[index].endpoint = Int32(endpointCount)
                endpointCount += 1
            }
            nodes[index].methods.formUnion(route.methods)
            endpoints.append(Int(nodes[index].endpoint))
        }
        makeTable(of: ways)
    }

    private struct LiteralWay: Hashable {
        let parent: Int32
        let literal: [UInt8]
    }

    private mutating func child(
        of parent: Int32, _ segment: RoutePattern.Segment, _ ways: inout [LiteralWay: Int32]
    ) -> Int32 {
        switch segment {
        case .literal(let literal):
            let way = LiteralWay(parent: parent, literal: literal)
            if let child = ways[way] { return child }
            nodes[Int(parent)].hasLiterals = true
            let child = makeNode()
            ways[way] = child
            return child
        case .parameter:
            if nodes[Int(parent)].parameter < 0 { nodes[Int(parent)].parameter = makeNode() }
            return nodes[Int(parent)].parameter
        case .rest:
            if nodes[Int(parent)].rest < 0 { nodes[Int(parent)].rest = makeNode() }
            return nodes[Int(parent)].rest
        }
    }

    private mutating func makeNode() -> Int32 {
        nodes.append(Node())
        return Int32(nodes.count - 1)
    }

    private mutating func makeTable(of ways: [LiteralWay: Int32]) {
        var size = 1
        while size < ways.count * 2 { size *= 2 }
        edges = Array(repeating: Edge(), count: size)
        for (way, child) in ways {
            let bytes = unsafe way.literal.span.bytes
            var edge = Edge()
            edge.key = SegmentKey(plain: 0..<way.literal.count, in: bytes)
            edge.literal = Int32(literals.count)
            edge.parent = way.parent
            edge.child = child
            literals += way.literal
            var place = edge.key.hash(below: way.parent) & UInt64(size - 1)
            while edges[Int(place)].child >= 0 { place = (place + 1) & UInt64(size - 1) }
            edges[Int(place)] = edge
        }
    }
}
