public import Reactor

extension Server {
    /// Reads the certificates again, as when they have been renewed: the files that the server's configuration names,
    /// or those of another configuration.
    ///
    /// New connections get the new ones; those that are open keep what they have, and no loop waits. Sessions that
    /// clients remember can go on (TLS resumption), unless clients show certificates. Costs the reading of the files.
    /// Any thread.
    /// - Throws: one sentence, and then everything stays as it was: a key does not belong to its certificate, a file
    ///   cannot be read, the server speaks no TLS, …
    public func reloadCertificates(_ configuration: TLSConfiguration? = nil) throws(ServerError) {
        guard let configuration = configuration ?? core.configuration.tls else {
            throw ServerError("this server speaks no TLS: there are no certificates to be read again")
        }
        do throws(ReactorError) {
            try group.reloadTLS(configuration)
        } catch {
            throw ServerError(error.description)
        }
    }
}
