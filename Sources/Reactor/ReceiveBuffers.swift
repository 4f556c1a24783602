/// The receive buffers of one size.
protocol SameSizedBuffers: ~Copyable {
    var bufferCount: Int { get }
    /// Valid while the buffer is on loan.
    func memory(of index: UInt16) -> UnsafeMutableRawBufferPointer
    mutating func giveBack(_ index: UInt16)
}

/// All receive buffers of a driver: the one place that chooses by their size.
struct ReceiveBuffers<Buffers: SameSizedBuffers & ~Copyable>: ~Copyable {
    var small: Buffers
    var large: Buffers

    @inline(__always)
    func memory(of buffer: ReceiveBuffer) -> UnsafeMutableRawBufferPointer {
        switch buffer.size {
        case .small: unsafe small.memory(of: buffer.index)
        case .large: unsafe large.memory(of: buffer.index)
        }
    }

    @inline(__always)
    mutating func giveBack(_ buffer: ReceiveBuffer) {
        switch buffer.size {
        case .small: small.giveBack(buffer.index)
        case .large: large.giveBack(buffer.index)
        }
    }

    func count(_ size: ReceiveBufferSize) -> Int {
        switch size {
        case .small: small.bufferCount
        case .large: large.bufferCount
        }
    }
}

extension ReceiveBufferSize {
    var byteCount: Int { self == .small ? 4096 : 65536 }
    /// Buffers of a loop: 2 MiB of small ones, 8 MiB of large ones.
    var bufferCount: Int { self == .small ? 512 : 128 }
}
