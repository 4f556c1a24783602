internal import COpenSSL
package import Reactor

/// Issues certificates for tests, on P-256 keys: nothing that has to be kept, and no file.
@safe
package final class TestAuthority {
    private let key: OpaquePointer
    private let certificate: OpaquePointer
    private var serial = 1

    package init(_ name: String = "Test Authority") {
        unsafe key = Self.makeKey()
        unsafe certificate = Self.make(
            name, key: key, issuer: nil, days: -1...30, serial: 1,
            [
                (NID_basic_constraints, "critical,CA:TRUE")
            ])
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    /// What others have to trust, as PEM.
    package var pem: String { unsafe Self.text { unsafe PEM_write_bio_X509($0, certificate) } }

    /// - Parameters:
    ///   - names: as in `subjectAltName`: `DNS:example.org`, `IP:127.0.0.1`.
    ///   - days: from when to when it is valid, counted from today.
    ///   - passphrase: encrypts the key.
    package func issue(
        _ subject: String, names: [String] = ["DNS:localhost", "IP:127.0.0.1"], days: ClosedRange<Int> = -1...30,
        passphrase: String? = nil
    ) -> TLSCertificate {
        serial += 1
        let leafKey = unsafe Self.makeKey()
        let leaf = unsafe Self.make(
            subject, key: leafKey, issuer: (certificate, key), days: days, serial: serial,
            names.isEmpty ? [] : [(NID_subject_alt_name, names.joined(separator: ","))])
        defer {
            unsafe X509_free(leaf)
            unsafe EVP_PKEY_free(leafKey)
        }
        let keyText = unsafe Self.text { bio in
            if let passphrase {
                let bytes = Array(passphrase.utf8)
                return unsafe PEM_write_bio_PKCS8PrivateKey(
                    bio, leafKey, EVP_aes_128_cbc(), passphrase, Int32(bytes.count), nil, nil)
            } else {
                return unsafe PEM_write_bio_PrivateKey(bio, leafKey, nil, nil, 0, nil, nil)
            }
        }
        return TLSCertificate(
            chain: .text(unsafe Self.text { unsafe PEM_write_bio_X509($0, leaf) }), key: .text(keyText),
            passphrase: passphrase)
    }

    private static func makeKey() -> OpaquePointer {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        let isMade =
            unsafe EVP_PKEY_keygen_init(context) == 1
            && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1
            && EVP_PKEY_keygen(context, &key) == 1
        precondition(isMade, "no key could be made")
        return unsafe key!
    }

    private static func make(
        _ subject: String, key: OpaquePointer, issuer: (OpaquePointer, OpaquePointer)?, days: ClosedRange<Int>,
        serial: Int, _ extensions: [(Int32, String)]
    ) -> OpaquePointer {
        let certificate = unsafe X509_new()!
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), days.lowerBound * 86_400)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), days.upperBound * 86_400)
        unsafe X509_set_pubkey(certificate, key)
        let name = unsafe X509_get_subject_name(certificate)
        unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, subject, -1, -1, 0)
        unsafe X509_set_issuer_name(certificate, X509_get_subject_name(issuer?.0 ?? certificate))
        for (kind, value) in extensions {
            let item = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value)
            precondition(unsafe item != nil, "\(value) is no extension")
            unsafe X509_add_ext(certificate, item, -1)
            unsafe X509_EXTENSION_free(item)
        }
        precondition(unsafe X509_sign(certificate, issuer?.1 ?? key, EVP_sha256()) > 0, "not signed")
        return unsafe certificate
    }

    private static func text(_ write: (OpaquePointer?) -> Int32) -> String {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        precondition(unsafe write(bio) == 1, "no PEM could be written")
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe BIO_read(bio, $0.baseAddress, Int32($0.count)) }
        return String(decoding: buffer[..<Int(count)], as: UTF8.self)
    }
}
