internal import CSystemCalls
internal import Glibc
internal import IOUring

extension UringDriver {
    package func sendBatched(_ pieces: SendPieces, on socket: Int32, token: Token) {
        let place = Int(token.slot)
        let target = files.contains(place) ? SendTarget.registered(place) : .descriptor(socket)
        // One piece goes by the plain operation, which spares the kernel the vector.
        if unsafe pieces.count == 1 {
            unsafe ring.sendBatched(pieces[0], on: target, userData: token.rawValue)
        } else {
            unsafe ring.sendBatched(state.headers.next(of: pieces), on: target, userData: token.rawValue)
        }
    }

    package func send(_ pieces: SendPieces, on socket: Int32, token: Token) {
        if unsafe pieces.count == 1 {
            unsafe ring.send(pieces[0], on: socket, userData: token.rawValue)
        } else {
            unsafe ring.send(state.headers.next(of: pieces), on: socket, userData: token.rawValue)
        }
    }
}

/// Headers of sends of several pieces: the kernel reads them when it takes the operation.
///
/// There are as many as submissions fit into the ring, and they are used by turns: when one comes round, what it was
/// used for has been handed over.
@safe
struct MessageHeaders: ~Copyable {
    private let headers: UnsafeMutablePointer<msghdr>
    private let capacity: Int
    private var used = 0

    init(capacity: Int) {
        self.capacity = capacity
        // Zeroed pages become resident only where they are written to.
        let zeroes = unsafe calloc(capacity, MemoryLayout<msghdr>.stride)!
        unsafe headers = zeroes.bindMemory(to: msghdr.self, capacity: capacity)
    }

    deinit { unsafe free(headers) }

    mutating func next(of pieces: SendPieces) -> UnsafePointer<msghdr> {
        let header = unsafe headers + used
        used = used + 1 == capacity ? 0 : used + 1
        // Safe: a piece is laid out as an `iovec`, which `DriverTests` watches.
        unsafe header.pointee.msg_iov = UnsafeMutableRawPointer(pieces.start).assumingMemoryBound(to: iovec.self)
        unsafe header.pointee.msg_iovlen = pieces.count
        return unsafe UnsafePointer(header)
    }

    var areUsed: Bool { used > 0 }

    /// Called when everything has been handed over: headers that the processor has at hand are used again.
    mutating func reuse() { used = 0 }
}
