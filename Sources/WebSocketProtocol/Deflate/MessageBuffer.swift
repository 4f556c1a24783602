internal import Glibc

/// Memory that messages are deflated or inflated to, one after the other. It grows with what is written.
///
/// Large buffers are mapped, not allocated: the kernel has their memory back at once, where an allocator would keep
/// some of it. A page of a mapping costs nothing before it is written to, so that growing by copying never takes more
/// than what it grows to. Not thread-safe.
@safe public struct MessageBuffer: ~Copyable {
    /// Invariant: `base` holds `capacity` bytes, of which the first `count` are written; nil when `capacity` is 0. The
    /// memory is a mapping of its own from `mappedCapacity` bytes on, else from `malloc`.
    private var base: UnsafeMutableRawPointer?
    package private(set) var capacity = 0
    /// Bytes written.
    public private(set) var count = 0

    private static let minimumCapacity = 4096
    private static let mappedCapacity = 128 << 10
    private static let largeCapacity = 1 << 20

    /// A buffer that owns no memory yet.
    public init() {}

    deinit { unsafe Self.release(base, capacity) }

    /// What is written, valid until the buffer is changed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            guard let base = unsafe base else { return RawSpan() }
            // Safe: the invariant; the borrow of `self` keeps the memory alive and unchanged.
            let bytes = unsafe RawSpan(_unsafeStart: base, byteCount: count)
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// Forgets what is written. Memory beyond `kept` bytes is given back.
    public mutating func removeAll(keeping kept: Int = .max) {
        count = 0
        guard capacity > kept else { return }
        unsafe Self.release(base, capacity)
        unsafe base = nil
        capacity = 0
    }

    /// Appends so many zeros, to be overwritten with `mutableBytes`.
    package mutating func skip(_ byteCount: Int) {
        let room = unsafe room(atLeast: byteCount)
        unsafe room.baseAddress!.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        advance(by: byteCount)
    }

    /// Forgets the bytes behind the first `newCount`.
    package mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "a buffer cannot be truncated to more than it holds")
        count = newCount
    }

    /// The bytes written at `range`, to be overwritten.
    @_lifetime(&self)
    package mutating func mutableBytes(_ range: Range<Int>) -> MutableRawSpan {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "outside of the bytes written")
        guard let base = unsafe base else { return MutableRawSpan() }
        // Safe: the precondition; the borrow of `self` is exclusive.
        let bytes = unsafe MutableRawSpan(_unsafeStart: base + range.lowerBound, byteCount: range.count)
        return unsafe _overrideLifetime(bytes, mutating: &self)
    }

    /// Memory behind what is written, to be written to and then counted by `advance`.
    /// - Parameter limit: the capacity never grows beyond it, unless `minimum` does not fit.
    mutating func room(atLeast minimum: Int, growingTo limit: Int = .max) -> UnsafeMutableRawBufferPointer {
        if capacity - count < minimum {
            // What a large mapping does not use costs nothing, while old and new are both there for the time of a copy:
            // large buffers grow in few steps, and the last step is not a small one.
            let multiplied = max((capacity < Self.largeCapacity ? 2 : 16) * capacity, Self.minimumCapacity)
            let grown = max(count + minimum, multiplied > limit / 2 ? limit : multiplied)
            let larger = unsafe Self.allocate(grown)
            // Safe: `count` bytes are written in the old memory and fit into the new, which nobody else has.
            if let base = unsafe base { unsafe larger.copyMemory(from: base, byteCount: count) }
            unsafe Self.release(base, capacity)
            unsafe base = larger
            capacity = grown
        }
        return unsafe UnsafeMutableRawBufferPointer(start: base! + count, count: capacity - count)
    }

    mutating func advance(by written: Int) {
        precondition(written >= 0 && count + written <= capacity, "more written than there was room for")
        count += written
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
        guard capacity >= mappedCapacity else {
            guard let memory = unsafe malloc(capacity) else { fatalError("out of memory") }
            return unsafe memory
        }
        let memory = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { fatalError("out of memory") }
        return unsafe memory
    }

    private static func release(_ memory: UnsafeMutableRawPointer?, _ capacity: Int) {
        guard let memory = unsafe memory else { return }
        // Safe: it came from `allocate` with this capacity.
        if capacity >= mappedCapacity { unsafe munmap(memory, capacity) } else { unsafe free(memory) }
    }
}
