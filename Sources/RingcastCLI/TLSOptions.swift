import ArgumentParser
import Glibc
import Logging
import Ringcast
import SystemCalls
import UnixSignals

/// The options of `ringcast serve` for TLS.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve https and wss with this certificate and its chain (PEM). Given again, with another --tls-key: for "
                + "other host names (SNI). SIGHUP reads the files again.",
            valueName: "file"))
    var tlsCert: [String] = []

    @Option(help: ArgumentHelp("The certificate's private key (PEM).", valueName: "file"))
    var tlsKey: [String] = []

    @Option(help: ArgumentHelp("Holds the passphrase of the keys, in its first line.", valueName: "file"))
    var tlsPassphraseFile: String?

    @Option(help: ArgumentHelp("Accept only clients with a certificate of these authorities (PEM).", valueName: "file"))
    var tlsClientCa: String?

    @Flag(help: "With --tls-client-ca: accept clients without a certificate too.")
    var tlsClientOptional = false

    @Option(help: ArgumentHelp("The oldest TLS version that is served: 1.2 or 1.3.", valueName: "version"))
    var tlsMinVersion = Version.v12

    enum Version: String, ExpressibleByArgument, CaseIterable {
        case v12 = "1.2"
        case v13 = "1.3"
    }

    func validate() throws {
        guard tlsCert.count == tlsKey.count else {
            throw ValidationError(
                tlsCert.count > tlsKey.count
                    ? "--tls-cert needs a --tls-key with the certificate's private key"
                    : "--tls-key needs a --tls-cert with the key's certificate")
        }
        guard tlsCert.isEmpty else { return }
        if tlsClientCa != nil || tlsClientOptional || tlsPassphraseFile != nil {
            throw ValidationError("--tls-client-ca and the like need --tls-cert and --tls-key")
        }
    }

    /// What TLS is served with; nil, for plain http and ws, where no certificate is given.
    func configuration() throws(ServerError) -> TLSConfiguration? {
        guard !tlsCert.isEmpty else { return nil }
        let passphrase = try tlsPassphraseFile.map { path throws(ServerError) in try firstLine(of: path) }
        let certificates = zip(tlsCert, tlsKey).map {
            TLSCertificate(chain: .file($0), key: .file($1), passphrase: passphrase)
        }
        var configuration = TLSConfiguration(
            certificates: certificates, minVersion: tlsMinVersion == .v13 ? .v1_3 : .v1_2)
        if let authorities = tlsClientCa.map({ PEMSource.file($0) }) {
            configuration.clientCertificates =
                tlsClientOptional ? .optional(authorities: authorities) : .required(authorities: authorities)
        }
        return configuration
    }

    private func firstLine(of path: String) throws(ServerError) -> String {
        guard let text = SystemFile.read(path) else {
            throw ServerError(
                "the passphrase file \(path) cannot be read: \(unsafe String(cString: strerror(errno)))", code: .tls)
        }
        return String(text.prefix { $0 != "\n" })
    }
}

extension Server {
    /// Reads the certificates again at each signal (SIGHUP), as after their renewal, until the task is cancelled.
    func reloadCertificates(at signals: UnixSignalsSequence, _ logger: Logger) async {
        for await _ in signals {
            do {
                try reloadCertificates()
                logger.info("the certificates have been read again")
            } catch {
                logger.error("the certificates stay as they were: \(error)")
            }
        }
    }
}
