public import Reactor

/// A server reads its certificates when it is made; these read them again, as when they have been renewed.
///
/// New connections get the new ones; those that are open keep what they have, and no loop waits. What clients remember
/// of earlier sessions stays good (TLS resumption), unless they show certificates. Costs the reading of the files, on
/// the calling thread, which may be any.
extension Server {
    /// Reads the files again that the configuration names, of every endpoint that speaks TLS.
    /// - Throws: one sentence: a key does not belong to its certificate, a file cannot be read, no endpoint speaks TLS,
    ///   … The endpoint that it is about goes on with what it had.
    public func reloadCertificates() throws(ServerError) {
        let endpoints = core.configuration.listeningEndpoints
        guard endpoints.contains(where: { $0.tls != nil }) else {
            throw ServerError(
                "this server speaks no TLS: there are no certificates to be read again", code: .tls)
        }
        for (index, endpoint) in endpoints.enumerated() {
            if let tls = endpoint.tls { try reload(tls: tls, endpoint: index) }
        }
    }

    /// Serves an endpoint's new connections with another TLS configuration, but for its handshake timeout, which stays.
    /// - Parameters:
    ///   - configuration: whose files are read now.
    ///   - endpoint: one that speaks TLS already, by its place in the configuration.
    /// - Throws: one sentence, and then the endpoint goes on with what it had.
    public func reload(tls configuration: TLSConfiguration, endpoint: Int = 0) throws(ServerError) {
        do throws(ReactorError) {
            try group.reload(tls: core.configuration.offered(by: configuration), listener: endpoint)
        } catch {
            throw ServerError(error)
        }
    }
}
