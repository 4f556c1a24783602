internal import COpenSSL
internal import Glibc
internal import SystemCalls

/// Certificates and keys as OpenSSL has them, out of PEM. Whoever asks for a key frees it.
enum PEM {
    /// All certificates of a source, at least one.
    static func certificates(_ source: PEMSource, called what: String) throws(ReactorError) -> Certificates {
        let bytes = try read(source, called: what)
        let certificates = Certificates()
        unsafe withBIO(over: bytes) { bio in
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, refusePassphrase, nil) {
                unsafe certificates.append(certificate)
            }
        }
        // The last error says that there are no more certificates, unless one of them could not be read.
        let isComplete = TLSFailure.isReason(PEM_R_NO_START_LINE, of: ERR_LIB_PEM)
        let failure = TLSFailure.take()
        guard isComplete else {
            throw ReactorError("\(source.name(what)) holds a certificate that cannot be read: \(failure)", .tls)
        }
        guard unsafe !certificates.all.isEmpty else {
            throw ReactorError("\(source.name(what)) holds no certificate (PEM: -----BEGIN CERTIFICATE-----)", .tls)
        }
        return certificates
    }

    static func key(of certificate: TLSCertificate) throws(ReactorError) -> OpaquePointer {
        let bytes = try read(certificate.key, called: "key")
        var request = PassphraseRequest(passphrase: Array((certificate.passphrase ?? "").utf8))
        let key = unsafe withBIO(over: bytes) { bio in
            unsafe withUnsafeMutablePointer(to: &request) { unsafe PEM_read_bio_PrivateKey(bio, nil, answer, $0) }
        }
        if let key = unsafe key { return unsafe key }
        let failure = TLSFailure.take()
        let name = certificate.key.name("key")
        if request.wasAsked {
            throw ReactorError(
                certificate.passphrase == nil
                    ? "\(name) is encrypted: give its passphrase" : "the passphrase does not open \(name)")
        }
        throw ReactorError("\(name) holds no private key that can be read (\(failure))", .tls)
    }

    private static func read(_ source: PEMSource, called what: String) throws(ReactorError) -> [UInt8] {
        guard case .file(let path) = source else {
            if case .text(let text) = source { return Array(text.utf8) }
            return []
        }
        do throws(SystemError) {
            return try contents(of: path)
        } catch {
            throw ReactorError("\(source.name(what)) cannot be read: \(error)", .tls)
        }
    }

    /// The first megabyte of a file: what is larger is no certificate.
    private static func contents(of path: String) throws(SystemError) -> [UInt8] {
        let descriptor = uninterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while count < bytes.count {
            let result = unsafe bytes.withUnsafeMutableBytes { rest in
                uninterrupted { unsafe Glibc.read(descriptor, rest.baseAddress! + count, rest.count - count) }
            }
            guard result >= 0 else { throw .last }
            if result == 0 { break }
            count += result
        }
        return Array(bytes[..<count])
    }

    private static func withBIO<Result>(over bytes: [UInt8], _ body: (OpaquePointer?) -> Result) -> Result {
        TLSFailure.clear()
        return unsafe bytes.withUnsafeBytes { bytes in
            // An empty buffer has no address, and OpenSSL wants one.
            let bio = unsafe ringcast_bio_of(bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!, Int32(bytes.count))
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }
}

/// X.509 certificates, which it frees at its end.
@safe
final class Certificates {
    private(set) var all: [OpaquePointer] = unsafe []

    func append(_ certificate: OpaquePointer) { unsafe all.append(certificate) }

    deinit {
        for index in unsafe all.indices { unsafe X509_free(all[index]) }
    }
}

private struct PassphraseRequest {
    let passphrase: [UInt8]
    var wasAsked = false
}

/// Answers OpenSSL's question for a passphrase, in place of the default, which asks at the terminal.
private func answer(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _: Int32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let buffer = unsafe buffer, let argument = unsafe argument else { return -1 }
    let request = unsafe argument.assumingMemoryBound(to: PassphraseRequest.self)
    unsafe request.pointee.wasAsked = true
    let passphrase = unsafe request.pointee.passphrase
    guard !passphrase.isEmpty, passphrase.count <= Int(size) else { return -1 }
    unsafe UnsafeMutableRawPointer(buffer).copyMemory(from: passphrase, byteCount: passphrase.count)
    return Int32(passphrase.count)
}

private func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }

extension PEMSource {
    /// For a sentence: `the key file /etc/key.pem`.
    func name(_ what: String) -> String {
        switch self {
        case .file(let path): "the \(what) file \(path)"
        case .text: "the \(what) given as text"
        }
    }
}
