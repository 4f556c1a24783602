internal import Glibc
internal import SystemCalls

/// The receive buffers of one size, for a driver that fills them itself: the one that came back last is used first,
/// so that a loop with little to do touches few pages.
@safe
struct ReceiveBufferPool: SameSizedBuffers, ~Copyable {
    let bufferSize: Int
    let bufferCount: Int
    private let memory: UnsafeMutableRawPointer
    private var free: [UInt16]

    init(_ size: ReceiveBufferSize) throws(SystemError) {
        (bufferSize, bufferCount) = (size.byteCount, size.bufferCount)
        let mapped = unsafe mmap(
            nil, bufferSize * bufferCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw .last }
        unsafe memory = unsafe mapped
        free = (0..<UInt16(bufferCount)).reversed()
    }

    deinit { unsafe munmap(memory, bufferSize * bufferCount) }

    /// Returns nil when all buffers are lent.
    mutating func take() -> UInt16? { free.popLast() }

    mutating func giveBack(_ index: UInt16) { free.append(index) }

    /// Valid as long as the pool, to be used between `take` and `giveBack`.
    func memory(of index: UInt16) -> UnsafeMutableRawBufferPointer {
        precondition(index < bufferCount, "no such buffer")
        return unsafe UnsafeMutableRawBufferPointer(start: memory + Int(index) * bufferSize, count: bufferSize)
    }
}

extension ReceiveBuffers<ReceiveBufferPool> {
    /// Returns nil when all buffers of that size are lent.
    mutating func take(_ size: ReceiveBufferSize) -> ReceiveBuffer? {
        let index = size == .small ? small.take() : large.take()
        return index.map { ReceiveBuffer(size, index: $0) }
    }
}
