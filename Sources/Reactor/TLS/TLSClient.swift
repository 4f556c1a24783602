/// A client's side of TLS: made once, since that costs the reading of certificates, and used for any number of
/// connections, on any thread.
public final class TLSClient: Sendable {
    let context: TLSContext

    /// Reads the files that the configuration names.
    /// - Throws: a sentence, such as that a file cannot be read, or a key does not belong to its certificate.
    public init(configuration: TLSClientConfiguration = TLSClientConfiguration()) throws(ReactorError) {
        context = try TLSContext(client: configuration)
    }
}
