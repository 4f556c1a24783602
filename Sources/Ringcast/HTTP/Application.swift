/// The user's `fetch`, or a part of it, called on the loop that owns the connection.
typealias Fetch = @Sendable (borrowing Request) throws -> Reply

/// What a server answers requests with.
package struct Application: Sendable {
    let fetch: Fetch
    /// The routes that `fetch` looks into, where there are some: what they say of a request before its body is there.
    let routes: RouteTable?

    /// Answers 404 Not Found.
    static let notFound = Application { _ in .response(.notFound) }

    package init(fetch: @escaping @Sendable (borrowing Request) throws -> Reply) {
        self.fetch = fetch
        routes = nil
    }

    /// - Throws: where routes make no sense together.
    package init(_ routes: Routes) throws(ServerError) {
        let table = try RouteTable(routes)
        fetch = { request in try table.answer(request) }
        self.routes = table
    }
}
