/// What the search for a path has found.
package struct RouteSearch: Sendable {
    /// The endpoint, nil if there is none with a method that was wanted.
    package fileprivate(set) var endpoint: Int?
    /// The methods of the endpoint. Where none was found, those of all endpoints that the path leads to: empty if it is
    /// the path of no route.
    package fileprivate(set) var methods: RouteMethods = []
    /// Where the parameters of the endpoint lie.
    package fileprivate(set) var parameters = RouteParameters()
    fileprivate let wanted: RouteMethods
}

extension RouteTree {
    /// Looks for a path.
    /// - Parameters:
    ///   - path: where the path lies, still percent-encoded and without the query. An empty one stands for `/` (RFC
    ///     9112 §3.2.2).
    ///   - wanted: an endpoint is taken if it has one of these methods.
    package func search(_ path: Range<Int>, in bytes: RawSpan, for wanted: RouteMethods) -> RouteSearch {
        var search = RouteSearch(wanted: wanted)
        let start = min(path.lowerBound + 1, path.upperBound)
        _ = walk(from: 0, start..<path.upperBound, in: bytes, &search)
        return search
    }

    /// Goes on from a node with what is left of the path, and tells whether that led to an endpoint.
    private func walk(from index: Int32, _ path: Range<Int>, in bytes: RawSpan, _ search: inout RouteSearch) -> Bool {
        let node = nodes[Int(index)]
        let segment = PathSegment(from: path.lowerBound, before: path.upperBound, in: bytes)
        if node.hasLiterals {
            let child = child(of: index, segment, in: bytes)
            if child >= 0, descend(to: child, behind: segment, of: path, in: bytes, &search) { return true }
        }
        let count = search.parameters.count
        if node.parameter >= 0, !segment.range.isEmpty {
            search.parameters.append(segment.range)
            if descend(to: node.parameter, behind: segment, of: path, in: bytes, &search) { return true }
            search.parameters.removeLast(to: count)
        }
        if node.rest >= 0 {
            search.parameters.append(path)
            if take(node.rest, &search) { return true }
            search.parameters.removeLast(to: count)
        }
        return false
    }

    @inline(__always)
    private func descend(
        to child: Int32, behind segment: PathSegment, of path: Range<Int>, in bytes: RawSpan,
        _ search: inout RouteSearch
    ) -> Bool {
        let end = segment.range.upperBound
        guard end < path.upperBound else { return take(child, &search) }
        return walk(from: child, (end + 1)..<path.upperBound, in: bytes, &search)
    }

    /// Ends the search at a node if it is an endpoint with a method that is wanted.
    @inline(__always)
    private func take(_ index: Int32, _ search: inout RouteSearch) -> Bool {
        let node = nodes[Int(index)]
        guard !node.methods.isDisjoint(with: search.wanted) else {
            search.methods.formUnion(node.methods)
            return false
        }
        search.endpoint = Int(node.endpoint)
        search.methods = node.methods
        return true
    }

    /// The child that a literal segment leads to, -1 for none.
    private func child(of parent: Int32, _ segment: PathSegment, in bytes: RawSpan) -> Int32 {
        let key = SegmentKey(segment, in: bytes)
        let mask = UInt64(edges.count - 1)
        var place = key.hash(below: parent) & mask
        while true {
            let edge = edges[Int(place)]
            if edge.child < 0 { return -1 }
            if edge.parent == parent, edge.key == key,
                key.count <= SegmentKey.coveredByteCount || equals(edge, segment, in: bytes)
            {
                return edge.child
            }
            place = (place + 1) & mask
        }
    }

    /// Compares a segment that is longer than its key with a literal of the same length.
    private func equals(_ edge: Edge, _ segment: PathSegment, in bytes: RawSpan) -> Bool {
        var rest = segment.range
        var place = Int(edge.literal)
        while let byte = PercentDecoding.nextByte(&rest, of: bytes, plusIsSpace: false) {
            guard literals[place] == byte else { return false }
            place += 1
        }
        return true
    }
}
