import Glibc
import ReactorTesting
import SystemCalls
import Testing

@testable import Reactor

/// What is wrong with certificates is said when the server is made, in one sentence each.
@Suite struct TLSConfigurationTests {
    private let authority = TestAuthority()

    private func sentence(_ configuration: TLSConfiguration) -> String {
        do throws(ReactorError) {
            _ = try TLSServer(configuration)
            return "no error"
        } catch {
            return error.description
        }
    }

    private func sentence(_ certificate: TLSCertificate) -> String {
        sentence(TLSConfiguration(certificates: [certificate]))
    }

    @Test func `a server without a certificate is refused`() {
        #expect(sentence(TLSConfiguration(certificates: [])) == "a TLS server needs a certificate")
    }

    @Test func `a file that cannot be read is named`() {
        let missing = TLSConfiguration(certificateFile: "/nowhere/c.pem", keyFile: "/nowhere/k.pem")
        #expect(
            sentence(missing) == "the certificate file /nowhere/c.pem cannot be read: No such file or directory")
    }

    @Test func `certificate and key are read from files, of which the first megabyte counts`() throws {
        let folder = try #require(SystemFile.makeTemporaryFolder("ringcast-certificates"))
        let (chain, key) = ("\(folder)/chain.pem", "\(folder)/key.pem")
        defer {
            for path in [chain, key] { unsafe unlink(path) }
            unsafe rmdir(folder)
        }
        let issued = authority.issue("a")
        guard case .text(let chainText) = issued.chain, case .text(let keyText) = issued.key else {
            Issue.record("the authority gives text")
            return
        }
        #expect(SystemFile.write(keyText, to: key))
        let configuration = TLSConfiguration(certificateFile: chain, keyFile: key)
        for (padding, sentence) in [
            (0, "no error"), (1 << 20 - 10_000, "no error"),
            (1 << 20, "the certificate file \(chain) holds no certificate (PEM: -----BEGIN CERTIFICATE-----)"),
        ] {
            #expect(SystemFile.write(String(repeating: "\n", count: padding) + chainText, to: chain))
            #expect(self.sentence(configuration) == sentence)
        }
        let swapped = TLSConfiguration(certificateFile: folder, keyFile: key)
        #expect(sentence(swapped) == "the certificate file \(folder) cannot be read: Is a directory")
    }

    @Test func `what holds no certificate and no key is refused`() {
        let good = authority.issue("a")
        let expected = "the certificate given as text holds no certificate (PEM: -----BEGIN CERTIFICATE-----)"
        for text in ["", "nothing", "-----BEGIN CERTIFICATE"] {
            #expect(sentence(TLSCertificate(chain: .text(text), key: good.key)) == expected)
        }
        #expect(
            sentence(TLSCertificate(chain: good.chain, key: .text("nothing")))
                .hasPrefix("the key given as text holds no private key that can be read"))
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        #expect(
            sentence(TLSCertificate(chain: .text(broken), key: good.key))
                .hasPrefix("the certificate given as text holds a certificate that cannot be read"))
    }

    @Test func `a key of another certificate is refused`() {
        let mixed = TLSCertificate(chain: authority.issue("a").chain, key: authority.issue("b").key)
        #expect(sentence(mixed) == "the key given as text does not belong to the certificate given as text")
    }

    @Test func `an encrypted key needs its passphrase`() {
        var certificate = authority.issue("a", passphrase: "secret")
        #expect(sentence(certificate) == "no error")
        certificate.passphrase = "wrong"
        #expect(sentence(certificate) == "the passphrase does not open the key given as text")
        certificate.passphrase = nil
        #expect(sentence(certificate) == "the key given as text is encrypted: give its passphrase")
    }

    @Test(arguments: [(-20 ... -10, "has expired"), (10...20, "is not valid yet")])
    func `a certificate that is not valid now is served, with a warning`(days: ClosedRange<Int>, what: String) throws {
        let server = try TLSServer(TLSConfiguration(certificates: [authority.issue("a", days: days)]))
        #expect(server.warnings == ["the certificate given as text \(what): clients will refuse it"])
        let good = try TLSServer(TLSConfiguration(certificates: [authority.issue("a")]))
        #expect(good.warnings.isEmpty)
    }

    @Test func `ciphers, protocols, authorities and times are looked at`() {
        var configuration = TLSConfiguration(certificates: [authority.issue("a")])
        configuration.ciphers = "ROT13"
        #expect(sentence(configuration) == "\"ROT13\" names no cipher that OpenSSL knows")
        configuration.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"
        configuration.cipherSuites = "TLS_ROT13"
        #expect(sentence(configuration) == "\"TLS_ROT13\" is not a list of TLS 1.3 cipher suites that OpenSSL knows")
        configuration.cipherSuites = "TLS_AES_128_GCM_SHA256"
        #expect(sentence(configuration) == "no error")
        configuration.applicationProtocols = [""]
        #expect(sentence(configuration) == "\"\" is not the name of an application protocol (ALPN)")
        configuration.applicationProtocols = []
        configuration.handshakeTimeout = .zero
        #expect(sentence(configuration) == "a handshake's timeout is more than 0 and at most a day")
        configuration.handshakeTimeout = .seconds(1)
        configuration.clientCertificates = .required(authorities: .text("nobody"))
        #expect(sentence(configuration).hasPrefix("the authority given as text holds no certificate"))
    }
}
