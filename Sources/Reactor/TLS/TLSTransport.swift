internal import COpenSSL

/// Between OpenSSL and the loop: a BIO that reads from the receive buffer at hand and writes into the chunks of
/// a send queue. Neither side is buffered in between, and writing never blocks.
enum TLSTransport {
    /// Freed by whoever asked for it.
    static func makeMethod() -> OpaquePointer {
        guard let method = unsafe BIO_meth_new(BIO_TYPE_SOURCE_SINK, "ringcast") else {
            fatalError("OpenSSL is out of memory")
        }
        unsafe BIO_meth_set_read(method) { bio, buffer, count in
            guard let bio = unsafe bio, let buffer = unsafe buffer, let session = unsafe TLSSession(of: bio, ()) else {
                return -1
            }
            unsafe ringcast_bio_clear_retry(bio)
            let taken = unsafe session.takeInput(into: buffer, atMost: Int(count))
            if taken == 0 {
                // More may come: the connection's end is the loop's business.
                unsafe ringcast_bio_retry_read(bio)
                return -1
            }
            return Int32(taken)
        }
        unsafe BIO_meth_set_write(method) { bio, bytes, count in
            guard let bio = unsafe bio, let bytes = unsafe bytes, let session = unsafe TLSSession(of: bio, ()) else {
                return -1
            }
            unsafe ringcast_bio_clear_retry(bio)
            unsafe session.appendOutput(bytes, count: Int(count))
            return count
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return unsafe method
    }
}
