/// What one connection has accepted to send and the kernel has not taken yet, in order: the cork of this turn and
/// everything behind it. It comes from the loop's pool and exists only while there is something to send.
///
/// The bytes of pieces under way stay where they are, so a send may borrow them while more is queued.
@safe
struct SendQueue: ~Copyable {
    /// The owner of a piece's memory, who gets it back when the piece has been sent.
    enum Owner: BitwiseCopyable {
        case chunk(Chunk)
        /// A chunk whose bytes went in front of others: see `insertUrgent`.
        case urgent(Chunk)
        case receiveBuffer(ReceiveBuffer)
        case shared(SharedBlock)
    }

    /// Memory that a piece used and that goes back to its owner.
    enum Loan {
        case receiveBuffer(ReceiveBuffer)
        case sharedBlock(SharedBlock)
    }

    /// Bytes accepted and not yet taken by the kernel.
    var byteCount = 0
    /// Where the last piece ends, if it is shared: its length is set by `endSharedPiece`, so that a fan-out touches
    /// nothing but this word and `byteCount`.
    private var sharedEnd: UnsafeMutableRawPointer?
    /// Bytes of the operation that is under way, and their pieces.
    var submittedByteCount = 0
    var submittedPieceCount = 0
    /// See `SendQueue+Urgent.swift`.
    var front = Front()
    /// Bytes of the last chunk that nobody has written yet.
    var room = 0
    /// Pieces at the front that are TLS records; a queue that has some sends nothing else.
    var sealedPieceCount = 0
    var first = 0
    var end = 0
    private(set) var capacity: Int
    private(set) var pieces: UnsafeMutablePointer<SendPiece>
    private(set) var owners: UnsafeMutablePointer<Owner>
    /// The vector of the operation under way, if the queue has grown out of it since: drivers may still read it.
    private(set) var outgrown: UnsafeMutablePointer<SendPiece>?
    /// The beginning of a piece that is too long for one operation.
    let cutPiece: UnsafeMutablePointer<SendPiece>

    init() {
        capacity = 4
        unsafe pieces = .allocate(capacity: 4)
        unsafe owners = .allocate(capacity: 4)
        unsafe cutPiece = .allocate(capacity: 1)
    }

    deinit {
        precondition(first == end, "a send queue ended with pieces in it")
        unsafe pieces.deallocate()
        unsafe owners.deallocate()
        unsafe outgrown?.deallocate()
        unsafe cutPiece.deallocate()
    }

    var isEmpty: Bool { byteCount == 0 }
    /// The operation under way holds everything.
    var isSubmittedCompletely: Bool { submittedByteCount == byteCount }

    /// `count` contiguous bytes behind everything else, to be written at once by the caller.
    @inline(__always)
    mutating func append(_ count: Int, chunks: inout ChunkPool) -> UnsafeMutableRawPointer {
        if count > room { openChunk(for: count, chunks: &chunks) }
        let last = unsafe pieces + (end - 1)
        let start = unsafe last.pointee.start + last.pointee.count
        unsafe last.pointee.count += count
        room -= count
        byteCount += count
        return unsafe start
    }

    /// Makes the last piece longer by bytes of the loop's shared log. Returns false where they do not follow it there.
    @inline(__always)
    mutating func extend(by bytes: SharedBytes) -> Bool {
        guard unsafe bytes.start == sharedEnd else { return false }
        unsafe sharedEnd = unsafe bytes.start + bytes.count
        byteCount += bytes.count
        return true
    }

    /// Bytes of the loop's shared log, as a piece of their own.
    mutating func append(_ bytes: SharedBytes) {
        bytes.block.beginUse()
        unsafe push(SendPiece(start: bytes.start, count: bytes.count), owner: .shared(bytes.block))
        room = 0
        unsafe sharedEnd = unsafe bytes.start + bytes.count
        byteCount += bytes.count
    }

    /// Bytes that lie in a receive buffer and stay there until they are sent.
    mutating func append(_ bytes: UnsafeRawBufferPointer, of buffer: ReceiveBuffer) {
        unsafe push(
            SendPiece(start: UnsafeMutableRawPointer(mutating: bytes.baseAddress!), count: bytes.count),
            owner: .receiveBuffer(buffer))
        room = 0
        byteCount += bytes.count
    }

    mutating func removeFirst(_ count: Int, chunks: inout ChunkPool, released: (Loan) -> Void) {
        byteCount -= count
        var left = count
        while left > 0 {
            let length = unsafe pieces[first].count
            if left < length {
                unsafe pieces[first].start += left
                unsafe pieces[first].count -= left
                front.isCut = true
                if case .urgent = unsafe owners[first] { front.urgentByteCount -= left }
                break
            }
            left -= length
            releaseFirst(chunks: &chunks, released: released)
        }
        if first == end { reset() }
    }

    /// A shared piece of at least so many bytes may keep its block, which is sixteen times as large, while a slow peer
    /// takes its time.
    static let pinnedByteCount = 4096

    /// Copies what is still borrowed from receive buffers, since they are too few to wait for a slow peer, and small
    /// pieces of shared blocks, since each keeps the whole of one.
    mutating func ownEverything(chunks: inout ChunkPool, released: (Loan) -> Void) {
        endSharedPiece()
        for index in first..<end {
            let length = unsafe pieces[index].count
            let loan: Loan
            switch unsafe owners[index] {
            case .receiveBuffer(let buffer): loan = .receiveBuffer(buffer)
            case .shared(let block) where length < Self.pinnedByteCount: loan = .sharedBlock(block)
            case .shared, .chunk, .urgent: continue
            }
            let copy = chunks.take(atLeast: length)
            unsafe copy.start.copyMemory(from: pieces[index].start, byteCount: length)
            unsafe pieces[index].start = copy.start
            unsafe owners[index] = .chunk(copy)
            released(loan)
            if index == end - 1 { room = copy.byteCount - length }
        }
    }

    mutating func removeAll(chunks: inout ChunkPool, released: (Loan) -> Void) {
        while first < end { releaseFirst(chunks: &chunks, released: released) }
        (byteCount, submittedByteCount, submittedPieceCount) = (0, 0, 0)
        releaseOutgrown()
        reset()
    }

    mutating func reset() {
        (first, end, room, sealedPieceCount) = (0, 0, 0, 0)
        front = Front()
        unsafe sharedEnd = nil
    }

    private mutating func openChunk(for count: Int, chunks: inout ChunkPool) {
        // Chunks grow with what is queued, so that a large queue has few pieces.
        let chunk = chunks.take(atLeast: max(count, min(byteCount, Chunk.largestPooled)))
        unsafe push(SendPiece(start: chunk.start, count: 0), owner: .chunk(chunk))
        room = chunk.byteCount
    }

    mutating func releaseFirst(chunks: inout ChunkPool, released: (Loan) -> Void) {
        switch unsafe owners[first] {
        case .chunk(let chunk): chunks.giveBack(chunk)
        case .urgent(let chunk):
            front.urgentByteCount -= unsafe pieces[first].count
            chunks.giveBack(chunk)
        case .receiveBuffer(let buffer): released(.receiveBuffer(buffer))
        case .shared(let block): released(.sharedBlock(block))
        }
        first += 1
        if sealedPieceCount > 0 { sealedPieceCount -= 1 }
        front.removeFirst()
    }

    mutating func endSharedPiece() {
        guard let sharedEnd = unsafe sharedEnd else { return }
        unsafe pieces[end - 1].count = unsafe sharedEnd - pieces[end - 1].start
        unsafe self.sharedEnd = nil
    }

    mutating func push(_ piece: SendPiece, owner: Owner) {
        endSharedPiece()
        if end == capacity { grow() }
        unsafe (pieces + end).initialize(to: piece)
        unsafe (owners + end).initialize(to: owner)
        end += 1
    }

    /// Puts a piece in front of those from the place `offset` on.
    mutating func insert(_ piece: SendPiece, owner: Owner, at offset: Int) {
        guard offset < end - first else {
            room = 0
            return unsafe push(piece, owner: owner)
        }
        if end == capacity { grow() }
        let (index, count) = (first + offset, end - first - offset)
        // Safe: there is a place behind the last piece; the regions may overlap.
        unsafe (pieces + index + 1).moveInitialize(from: pieces + index, count: count)
        unsafe (owners + index + 1).moveInitialize(from: owners + index, count: count)
        unsafe (pieces + index).initialize(to: piece)
        unsafe (owners + index).initialize(to: owner)
        end += 1
    }

    /// A queue that never runs empty uses up places at the front: those are used again, else it would grow for ever.
    private mutating func grow() {
        let newCapacity = end - first > capacity / 2 ? capacity * 2 : capacity
        let newPieces = UnsafeMutablePointer<SendPiece>.allocate(capacity: newCapacity)
        let newOwners = UnsafeMutablePointer<Owner>.allocate(capacity: newCapacity)
        let count = end - first
        unsafe newPieces.moveInitialize(from: pieces + first, count: count)
        unsafe newOwners.moveInitialize(from: owners + first, count: count)
        // The operation under way names the vector that it began with.
        if unsafe submittedPieceCount > 0 && outgrown == nil {
            unsafe outgrown = unsafe pieces
        } else {
            unsafe pieces.deallocate()
        }
        unsafe owners.deallocate()
        unsafe (pieces, owners) = unsafe (newPieces, newOwners)
        (first, end, capacity) = (0, count, newCapacity)
    }

    mutating func releaseOutgrown() {
        unsafe outgrown?.deallocate()
        unsafe outgrown = nil
    }
}
