/// Memory for bytes on their way out: owned by one send queue at a time, otherwise by the pool.
@safe
struct Chunk: BitwiseCopyable {
    let start: UnsafeMutableRawPointer
    let byteCount: Int

    /// Larger chunks are made for one use and freed after it.
    static let largestPooled = 65536
}

/// The chunks of one loop. Corks are short-lived and last in, first out, so a busy loop writes to memory that is still
/// in its cache, and an idle connection has none.
struct ChunkPool: ~Copyable {
    private static let sizes = [512, 4096, 16384, Chunk.largestPooled]
    /// Bytes of each size that are kept; what comes back beyond is freed.
    private static let keptByteCount = 1 << 20

    private var free: [[Chunk]] = [[], [], [], []]

    deinit {
        for chunk in free.joined() { unsafe chunk.start.deallocate() }
    }

    mutating func take(atLeast count: Int) -> Chunk {
        guard let sizeClass = Self.sizeClass(for: count) else { return Self.allocate(count) }
        return free[sizeClass].popLast() ?? Self.allocate(Self.sizes[sizeClass])
    }

    mutating func giveBack(_ chunk: Chunk) {
        guard let sizeClass = Self.sizeClass(for: chunk.byteCount),
            free[sizeClass].count * Self.sizes[sizeClass] < Self.keptByteCount
        else {
            unsafe chunk.start.deallocate()
            return
        }
        free[sizeClass].append(chunk)
    }

    private static func sizeClass(for count: Int) -> Int? {
        switch count {
        case ...512: 0
        case ...4096: 1
        case ...16384: 2
        case ...Chunk.largestPooled: 3
        default: nil
        }
    }

    private static func allocate(_ count: Int) -> Chunk {
        unsafe Chunk(start: .allocate(byteCount: count, alignment: 16), byteCount: count)
    }
}
