import FuzzSupport

@testable import Reactor

/// Certificates and keys in PEM form.
enum PEMFiles {
    static func run(_ input: inout FuzzInput) {
        let passphrase: String? = input.bool() ? "secret" : nil
        let text = input.text()
        do throws(ReactorError) {
            let certificates = try PEM.certificates(.text(text), called: "certificate")
            require(!certificates.all.isEmpty, "no certificate, and no error")
            // Read twice it is the same.
            let again = try PEM.certificates(.text(text + "\n" + text), called: "certificate")
            require(again.all.count >= certificates.all.count, "fewer certificates in twice the text")
        } catch {
            require(error.description.hasPrefix("the certificate given as text holds"), error.description)
        }
        let certificate = TLSCertificate(chain: .text(text), key: .text(text), passphrase: passphrase)
        do throws(ReactorError) {
            let server = try TLSServer(TLSConfiguration(certificates: [certificate]))
            _ = server
        } catch {
            require(!error.description.isEmpty, "no reason")
        }
    }
}
