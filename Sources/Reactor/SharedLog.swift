/// Bytes that many connections of one loop send, written once and sent from where they lie.
///
/// What is written follows what was written before, so that a connection which gets several runs of bytes in a row
/// sends them as one piece. Belongs to its loop: blocks count their users in plain integers and go back when the last
/// piece has been sent; those that nobody uses are used again.
struct SharedLog: ~Copyable {
    /// Bytes of a block; one for more bytes at once is as large as they are.
    private static let blockByteCount = 64 << 10
    private static let keptBlocks = 16

    /// Where each form of the bytes, such as a compressed one, is written at present.
    private var current: [SharedBlock?] = []
    private var free: [SharedBlock] = []

    deinit {
        for case let block? in current where block.endUse() { block.deallocate() }
        for block in free { block.deallocate() }
    }

    /// Writes `count` bytes behind the last ones of that form, if the block has room. They stay as long as a send queue
    /// has them, else until the next `append`, which may begin another block.
    mutating func append(_ count: Int, form: Int = 0, _ fill: (UnsafeMutableRawPointer) -> Void) -> SharedBytes {
        let block = block(withRoomFor: count, form: form)
        let start = unsafe block.take(count)
        unsafe fill(start)
        return unsafe SharedBytes(start: start, count: count, block: block)
    }

    private mutating func block(withRoomFor count: Int, form: Int) -> SharedBlock {
        while current.count <= form { current.append(nil) }
        if let block = current[form], block.room >= count { return block }
        let next = count <= Self.blockByteCount ? free.popLast() : nil
        let block = next ?? SharedBlock(byteCount: max(count, Self.blockByteCount))
        block.reset()
        if let old = current[form] { release(old) }
        current[form] = block
        return block
    }

    mutating func release(_ block: SharedBlock) {
        guard block.endUse() else { return }
        if block.byteCount == Self.blockByteCount, free.count < Self.keptBlocks {
            free.append(block)
        } else {
            block.deallocate()
        }
    }
}

/// Bytes in a loop's shared log. Valid until the next ones are written, and as long as a send queue has or a loop
/// keeps (`EventLoop.keep`) them.
@safe
package struct SharedBytes: BitwiseCopyable {
    let start: UnsafeMutableRawPointer
    package let count: Int
    let block: SharedBlock

    package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: count) }

    /// These and `next` as one run; nil if `next` lies elsewhere.
    package func continued(by next: SharedBytes) -> SharedBytes? {
        guard unsafe start + count == next.start else { return nil }
        return unsafe SharedBytes(start: start, count: count + next.count, block: block)
    }

    package func extracting(_ range: Range<Int>) -> SharedBytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range lies outside of the bytes")
        return unsafe SharedBytes(start: start + range.lowerBound, count: range.count, block: block)
    }
}

/// One allocation of the log: its counts, then its bytes.
@safe
struct SharedBlock: BitwiseCopyable {
    private struct Header {
        var users: Int
        var used: Int
        let byteCount: Int
    }

    private let header: UnsafeMutablePointer<Header>

    init(byteCount: Int) {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Header>.size + byteCount, alignment: 64)
        unsafe header = memory.bindMemory(to: Header.self, capacity: 1)
        unsafe header.initialize(to: Header(users: 0, used: 0, byteCount: byteCount))
    }

    var byteCount: Int { unsafe header.pointee.byteCount }
    var room: Int { unsafe header.pointee.byteCount - header.pointee.used }

    /// Empties the block and begins the log's own use of it.
    func reset() {
        unsafe header.pointee.users = 1
        unsafe header.pointee.used = 0
    }

    func beginUse() { unsafe header.pointee.users += 1 }

    /// Returns whether that was the last use.
    func endUse() -> Bool {
        unsafe header.pointee.users -= 1
        return unsafe header.pointee.users == 0
    }

    func take(_ count: Int) -> UnsafeMutableRawPointer {
        let start = unsafe UnsafeMutableRawPointer(header) + MemoryLayout<Header>.size + header.pointee.used
        unsafe header.pointee.used += count
        return unsafe start
    }

    func deallocate() { unsafe UnsafeMutableRawPointer(header).deallocate() }
}
