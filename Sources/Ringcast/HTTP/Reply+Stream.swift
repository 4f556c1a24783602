import HTTPProtocol
public import HTTPTypes

extension Reply {
    /// A response whose body is written bit by bit.
    ///
    ///     .stream(headers: [.contentType: "text/csv"]) { writer in
    ///         for try await row in table.rows { try await writer.write(row.csv) }
    ///     }
    ///
    /// `body` runs as a task on the connection's loop, so it must not block; `await` frees the loop. What it writes
    /// leaves with the end of the loop's turn. `write` waits while the client is behind, so that a body of any size
    /// takes 256 KiB of memory at most. Take what the body needs of the request with `request.copy()`. The connection
    /// reads nothing meanwhile, and goes on with its next request afterwards.
    ///
    /// The body is sent in chunks; to a client of HTTP/1.0, which knows none, as all that comes until the connection
    /// ends. With a length it is sent as it is, and has to be so long: one that is not is a programming error, which is
    /// logged. A body that throws is logged as well. In all these cases the connection is reset, so that nobody takes
    /// the body for whole.
    ///
    /// HEAD, and a status that has no body (204, 205, 304), are answered by the head alone: `body` does not run.
    ///
    /// The task is cancelled, and `write` throws, within a second when the client has left: when it has reset the
    /// connection, or has said that it will send no more. So they are when it takes nothing for
    /// `ServerLimits.writeStallTimeout`, and when the server stops and its patience is over. Costs a task, and a system
    /// call about once a second.
    /// - Parameters:
    ///   - status: what the head says, before anything of the body is known.
    ///   - headers: without a `Content-Type` among them it is sent as `application/octet-stream`.
    ///   - length: how many bytes the body has, if that is known before.
    ///   - body: writes the body; when it returns, that is complete.
    public static func stream(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], length: Int? = nil,
        _ body: @escaping @Sendable (BodyWriter) async throws -> Void
    ) -> Reply {
        Reply(kind: .stream(StreamedResponse(status: status, headers: headers, length: length, body: body)))
    }
}

/// A streamed response before its head is encoded.
struct StreamedResponse: Sendable {
    let status: HTTPResponse.Status
    var headers: HTTPFields
    let length: Int?
    let body: @Sendable (BodyWriter) async throws -> Void

    init(
        status: HTTPResponse.Status, headers: HTTPFields, length: Int?,
        body: @escaping @Sendable (BodyWriter) async throws -> Void
    ) {
        self.status = status
        self.headers = headers
        self.length = length
        self.body = body
        if headers[.contentType] == nil, status.allowsBody {
            self.headers[.contentType] = MediaType.unknown
        }
    }

    /// How a client finds the end of the body.
    func framing(isHTTP11: Bool) -> ResponseFraming {
        length.map { .length($0) } ?? (isHTTP11 ? .chunked : .endOfConnection)
    }
}
