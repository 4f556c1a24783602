/// The body of a request as it comes, piece by piece: what `Request.body(streaming:)` gives.
///
///     let upload = RouteOptions(bodyLimit: 1 << 30, streamsBody: true)
///     routes.post("/files/:name", options: upload, within: .seconds(60)) { request in
///         let file = try await store.create(request.parameter("name")!)
///         for try await piece in request.body(streaming: 65_536) { try await file.append(piece) }
///         return .response(.created)
///     }
///
/// Where the route reads its bodies as they come (`RouteOptions.streamsBody`), nothing is read from the connection
/// before the first piece is asked for: until then a client that sent `Expect: 100-continue` has not sent a byte. While
/// pieces wait to be read the connection is not, and TCP tells the client: a slow reader costs no memory.
///
/// Usable on any thread, by one task at a time; all copies read the same body, which is read once. On the connection's
/// loop, where deferred replies run, a piece costs no change of threads.
public struct RequestBody: AsyncSequence, Sendable {
    /// Bytes of the body, at least one, without the framing of chunks. How it is cut into pieces means nothing.
    public typealias Element = [UInt8]
    /// What ends a body before it is complete.
    public typealias Failure = RequestBodyError

    private let pipe: BodyPipe

    init(_ pipe: BodyPipe, window: Int) {
        self.pipe = pipe
        pipe.limit(to: window)
    }

    /// The pieces that are not read yet.
    public func makeAsyncIterator() -> Iterator { Iterator(pipe: pipe) }

    /// The pieces of a body, one after the other.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let pipe: BodyPipe

        /// The next piece, once it is there; nil behind the last one.
        /// - Throws: why the body does not come to its end. Every further call throws that again.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(RequestBodyError) -> [UInt8]? {
            try await pipe.next(isolation: actor)
        }
    }
}

extension Request {
    /// The body as it comes, for a deferred reply to read: see `RequestBody`. It is bounded by the route's
    /// `bodyLimit`. Where the route does not read its bodies as they come, it is `body`, whole: a copy.
    /// - Parameter window: the most bytes that wait to be read, and so of a piece, 1 or more. Beyond it up to 64 KiB
    ///   stay with the connection, and what the kernel has received by then.
    public func body(streaming window: Int) -> RequestBody {
        RequestBody(lentPipe?.pipe ?? BodyPipe(whole: bytes), window: window)
    }
}

extension RequestCopy {
    /// As the request's: see there.
    public func body(streaming window: Int) -> RequestBody { request.body(streaming: window) }
}
