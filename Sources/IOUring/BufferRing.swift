internal import CIOUring
internal import Glibc
package import SystemCalls

/// A group of receive buffers that the kernel picks from by itself, so that no idle connection holds one.
///
/// The ring it is registered with has to outlive it. Used on that ring's thread only.
@safe
package struct BufferRing: ~Copyable {
    package let group: UInt16
    package let bufferSize: Int
    package let bufferCount: Int
    /// The number that completions give the first buffer.
    private let firstNumber: UInt16
    private let ring: UnsafeMutablePointer<io_uring_buf_ring>
    private let ringBytes: Int
    private let memory: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - bufferCount: a power of two, at most 32,768.
    ///   - firstNumber: what completions call the first buffer, so that those of several groups can be told apart.
    ///   - offeredCount: how many buffers the kernel may fill until more are offered; nil means all.
    package init(
        in owner: borrowing Ring, group: UInt16, bufferSize: Int, bufferCount: Int, firstNumber: UInt16 = 0,
        offeredCount: Int? = nil
    ) throws(SystemError) {
        precondition(bufferCount > 0 && bufferCount <= 1 << 15 && bufferCount & (bufferCount - 1) == 0)
        let ringBytes = bufferCount * MemoryLayout<io_uring_buf>.stride
        let ring = unsafe try Self.map(ringBytes).assumingMemoryBound(to: io_uring_buf_ring.self)
        let memory: UnsafeMutableRawPointer
        do {
            unsafe memory = try Self.map(bufferSize * bufferCount)
        } catch {
            unsafe munmap(ring, ringBytes)
            throw error
        }
        var registration = io_uring_buf_reg()
        registration.ring_addr = UInt64(UInt(bitPattern: ring))
        registration.ring_entries = UInt32(bufferCount)
        registration.bgid = group
        let result = unsafe io_uring_register_buf_ring(owner.storage, &registration, 0)
        guard result == 0 else {
            unsafe munmap(ring, ringBytes)
            unsafe munmap(memory, bufferSize * bufferCount)
            throw SystemError(-result)
        }
        unsafe io_uring_buf_ring_init(ring)
        self.group = group
        self.bufferSize = bufferSize
        self.bufferCount = bufferCount
        self.ringBytes = ringBytes
        self.firstNumber = firstNumber
        unsafe self.ring = unsafe ring
        unsafe self.memory = unsafe memory
        offer(0..<(offeredCount ?? bufferCount))
    }

    deinit {
        unsafe munmap(ring, ringBytes)
        unsafe munmap(memory, bufferSize * bufferCount)
    }

    /// Pages are touched, and so become resident, only when the kernel fills a buffer for the first time.
    private static func map(_ count: Int) throws(SystemError) -> UnsafeMutableRawPointer {
        let pages = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { throw .last }
        return unsafe pages
    }

    /// The memory of one buffer, by its number from 0 on. It may be read and written from its completion until
    /// `giveBack`.
    @inline(__always)
    package func memory(of index: UInt16) -> UnsafeMutableRawBufferPointer {
        let start = unsafe memory + Int(index) * bufferSize
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: bufferSize)
    }

    /// Lets the kernel fill buffers that it has not had yet.
    package func offer(_ indices: Range<Int>) {
        for index in indices { giveBack(UInt16(index)) }
    }

    /// Returns a buffer to the kernel, by its number from 0 on.
    @inline(__always)
    package func giveBack(_ index: UInt16) {
        let bytes = unsafe memory(of: index)
        let mask = io_uring_buf_ring_mask(UInt32(bufferCount))
        unsafe io_uring_buf_ring_add(ring, bytes.baseAddress!, UInt32(bufferSize), firstNumber + index, mask, 0)
        unsafe io_uring_buf_ring_advance(ring, 1)
    }
}
