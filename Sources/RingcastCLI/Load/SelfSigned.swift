import COpenSSL
import Glibc
import SystemCalls

/// A certificate for 127.0.0.1 that nobody has signed, and its key (P-256), in files that only this user can read: what
/// a server of `ringcast bench --tls` needs.
final class SelfSigned {
    private let folder: String
    var certificate: String { folder + "/certificate.pem" }
    var key: String { folder + "/key.pem" }

    init() throws {
        guard let folder = SystemFile.makeTemporaryFolder("ringcast-bench") else {
            throw CommandFailure("--tls needs a folder in /tmp for its certificate: it cannot be made")
        }
        self.folder = folder
        guard write() else {
            remove()
            throw CommandFailure("--tls needs a certificate: OpenSSL could not make one in \(folder)")
        }
    }

    deinit { remove() }

    private func remove() {
        // Safe: the paths are used during the calls only.
        for file in [certificate, key] { unsafe unlink(file) }
        unsafe rmdir(folder)
    }

    /// Writes both files. Returns false where OpenSSL or the file system refuses.
    private func write() -> Bool {
        guard let pair = unsafe Self.makeKey() else { return false }
        defer { unsafe EVP_PKEY_free(pair) }
        guard let signed = unsafe Self.sign(pair) else { return false }
        defer { unsafe X509_free(signed) }
        return unsafe Self.save(key) { unsafe PEM_write_bio_PrivateKey($0, pair, nil, nil, 0, nil, nil) }
            && Self.save(certificate) { unsafe PEM_write_bio_X509($0, signed) }
    }

    private static func makeKey() -> OpaquePointer? {
        guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        let isMade =
            unsafe EVP_PKEY_keygen_init(context) == 1
            && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1
            && EVP_PKEY_keygen(context, &key) == 1
        return isMade ? unsafe key : nil
    }

    /// A certificate that is valid from yesterday, for clocks that differ, to tomorrow.
    private static func sign(_ key: OpaquePointer) -> OpaquePointer? {
        guard let certificate = unsafe X509_new() else { return nil }
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -86_400)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), 86_400)
        unsafe X509_set_pubkey(certificate, key)
        let name = unsafe X509_get_subject_name(certificate)
        unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, "ringcast bench", -1, -1, 0)
        unsafe X509_set_issuer_name(certificate, name)
        guard unsafe X509_sign(certificate, key, EVP_sha256()) > 0 else {
            unsafe X509_free(certificate)
            return nil
        }
        return unsafe certificate
    }

    private static func save(_ path: String, _ write: (OpaquePointer?) -> Int32) -> Bool {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        guard unsafe write(bio) == 1 else { return false }
        var text = [UInt8](repeating: 0, count: 4_096)
        // Safe: the buffer outlives the call, which writes at most its length.
        let count = unsafe text.withUnsafeMutableBytes { unsafe BIO_read(bio, $0.baseAddress, Int32($0.count)) }
        return count > 0 && SystemFile.write(String(decoding: text.prefix(Int(count)), as: UTF8.self), to: path)
    }
}
