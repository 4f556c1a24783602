import Reactor
import Synchronization

/// TLS contexts by their configuration, kept since making one reads the machine's authorities, which takes
/// milliseconds.
final class TLSClients: Sendable {
    private let made = Mutex<[TLSClientConfiguration: Result<TLSClient, WebSocketClientError>]>([:])
    /// With so many the cache is emptied, so that it cannot grow without bound.
    private static let limit = 16

    /// The context for a configuration, or what is wrong with it. May block for the reading of files.
    func client(for configuration: TLSClientConfiguration) -> Result<TLSClient, WebSocketClientError> {
        if let client = made.withLock({ $0[configuration] }) { return client }
        let client = Result { () throws(WebSocketClientError) in
            do throws(ReactorError) {
                return try TLSClient(configuration: configuration)
            } catch {
                throw .tls(error.description)
            }
        }
        // A failure is not kept, since its reason may be mended.
        guard case .success = client else { return client }
        made.withLock { made in
            if made.count >= Self.limit { made = [:] }
            made[configuration] = client
        }
        return client
    }
}
