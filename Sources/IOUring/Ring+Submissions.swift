internal import CIOUring
package import CSystemCalls
internal import Glibc

/// One function per operation. None of them reaches the kernel by itself; `userData` comes back in the completion.
extension Ring {
    /// Completes with a descriptor for every connection until it completes without `hasMore`.
    package func accept(on listener: Int32, userData: UInt64) {
        let entry = unsafe nextSubmission()
        let flags = Int32(SOCK_CLOEXEC.rawValue)
        if KernelFeature.multishotAccept.isAllowed {
            unsafe io_uring_prep_multishot_accept(entry, listener, nil, nil, flags)
        } else {
            unsafe io_uring_prep_accept(entry, listener, nil, nil, flags)
        }
        unsafe entry.pointee.user_data = userData
    }

    /// Completes once with 0, or with what the connection failed with. The address is read when the operation is handed
    /// over.
    package func connect(
        _ socket: Int32, to address: UnsafePointer<sockaddr>, length: UInt32, userData: UInt64
    ) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_connect(entry, socket, address, length)
        unsafe entry.pointee.user_data = userData
    }

    /// Completes for every arrival, each in a buffer of `group`, until it completes without `hasMore`.
    package func receive(on socket: Int32, group: UInt16, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_recv_multishot(entry, socket, nil, 0, 0)
        unsafe entry.pointee.flags |= selectBuffer
        unsafe entry.pointee.buf_group = group
        unsafe entry.pointee.user_data = userData
    }

    /// Sends what fits now, and completes only if that was not everything: with the byte count, or with EAGAIN or an
    /// error. The memory is free again when the submission is over.
    package func sendBatched(_ bytes: UnsafeRawBufferPointer, on target: SendTarget, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_send(entry, target.number, bytes.baseAddress!, bytes.count, batchedSendFlags)
        unsafe entry.pointee.flags |= target.flag | skipSuccess
        unsafe entry.pointee.user_data = userData
    }

    /// Sends several pieces as `sendBatched` does one. Header and vector have to last until the submission is over.
    package func sendBatched(_ header: UnsafePointer<msghdr>, on target: SendTarget, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_sendmsg(entry, target.number, header, UInt32(batchedSendFlags))
        unsafe entry.pointee.flags |= target.flag | skipSuccess
        unsafe entry.pointee.user_data = userData
    }

    /// Changes one place of the ring's `FileTable`. The memory has to last until the submission is over.
    func updateFile(at place: Int, to descriptor: UnsafeMutablePointer<Int32>, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_files_update(entry, descriptor, 1, Int32(place))
        unsafe entry.pointee.flags |= skipSuccess
        unsafe entry.pointee.user_data = userData
    }

    /// Waits until the socket has room, sends what fits and completes with the byte count. The memory is borrowed until
    /// then.
    package func send(_ bytes: UnsafeRawBufferPointer, on socket: Int32, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_send(entry, socket, bytes.baseAddress!, bytes.count, waitingSendFlags)
        unsafe entry.pointee.user_data = userData
    }

    /// Sends several pieces as `send` does one. They are borrowed until the completion, the header until submitted.
    package func send(_ header: UnsafePointer<msghdr>, on socket: Int32, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_sendmsg(entry, socket, header, UInt32(waitingSendFlags))
        unsafe entry.pointee.user_data = userData
    }

    /// Reads the 8 bytes of an eventfd.
    package func read(_ descriptor: Int32, into counter: UnsafeMutablePointer<UInt64>, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_read(entry, descriptor, counter, 8, 0)
        unsafe entry.pointee.user_data = userData
    }

    /// Ends the operation that was submitted with `target`. Completes only if it could not.
    ///
    /// The kernel finds an operation by its number in a table of 256 places, and all those on a descriptor only by a
    /// walk over every one that is armed: ends of many connections would cost the square of their number.
    package func cancel(_ target: UInt64, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_cancel64(entry, target, 0)
        unsafe entry.pointee.flags |= skipSuccess
        unsafe entry.pointee.user_data = userData
    }

    /// Closes a descriptor on which nothing is in flight.
    package func close(_ descriptor: Int32, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_close(entry, descriptor)
        unsafe entry.pointee.flags |= skipSuccess
        unsafe entry.pointee.user_data = userData
    }

    /// Posts a completion with `message` as its user data on another ring.
    package func notify(ring descriptor: Int32, message: UInt64, userData: UInt64) {
        let entry = unsafe nextSubmission()
        unsafe io_uring_prep_msg_ring(entry, descriptor, 0, message, 0)
        unsafe entry.pointee.flags |= skipSuccess
        unsafe entry.pointee.user_data = userData
    }
}

/// The socket of a send: its descriptor, or its place in the ring's table.
package struct SendTarget: BitwiseCopyable {
    let number: Int32
    let flag: UInt8

    @inline(__always) package static func descriptor(_ socket: Int32) -> SendTarget {
        SendTarget(number: socket, flag: 0)
    }

    @inline(__always) package static func registered(_ place: Int) -> SendTarget {
        SendTarget(number: Int32(truncatingIfNeeded: place), flag: registeredFile)
    }
}

/// `MSG_WAITALL` is what makes a partial send complete with its count: without it the bytes left are lost silently.
private let batchedSendFlags = Int32(MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL)
/// No `MSG_WAITALL` here: the progress of a slow reader has to be seen.
private let waitingSendFlags = Int32(MSG_NOSIGNAL)

private let skipSuccess = UInt8(RINGCAST_SKIP_SUCCESS)
private let registeredFile = UInt8(RINGCAST_FIXED_FILE)
private let selectBuffer = UInt8(RINGCAST_BUFFER_SELECT)
