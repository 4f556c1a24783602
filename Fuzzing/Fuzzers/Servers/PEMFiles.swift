import FuzzSupport

@testable import Reactor

/// Certificates and keys in PEM form.
enum PEMFiles {
    static func run(_ input: inout FuzzInput) {
        let passphrase: String? = input.bool() ? "secret" : nil
        let text = input.text()
        var isReadable = false
        do throws(ReactorError) {
            let certificates = try PEM.certificates(.text(text), called: "certificate")
            require(!certificates.all.isEmpty, "no certificate, and no error")
            // Read twice it is the same.
            let again = try PEM.certificates(.text(text + "\n" + text), called: "certificate")
            require(again.all.count >= certificates.all.count, "fewer certificates in twice the text")
            isReadable = true
        } catch {
            require(error.description.hasPrefix("the certificate given as text holds"), error.description)
        }
        // Making a context is most of the work: where the certificates cannot be read, one input of 16 is enough to see
        // that it fails for them.
        guard isReadable || Pieces.hash(of: Array(text.utf8)) & 15 == 0 else { return }
        let certificate = TLSCertificate(chain: .text(text), key: .text(text), passphrase: passphrase)
        do throws(ReactorError) {
            let server = try TLSServer(TLSConfiguration(certificates: [certificate]))
            require(isReadable, "a server with certificates that cannot be read")
            _ = server
        } catch {
            require(!error.description.isEmpty, "no reason")
        }
    }
}
