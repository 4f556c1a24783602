/// Receive buffers that sends borrow from: each goes back to the kernel when its last send is over.
struct BufferLoans {
    private var small: [UInt16]
    private var large: [UInt16]
    private var lentCount = [0, 0]
    private let limits: [Int]

    /// - Parameters: how many buffers of each size there are. Half of them may be lent.
    init(small: Int, large: Int) {
        self.small = Array(repeating: 0, count: small)
        self.large = Array(repeating: 0, count: large)
        limits = [small / 2, large / 2]
    }

    /// Buffers that are lent at present.
    func count(of size: ReceiveBufferSize) -> Int { lentCount[Int(size.rawValue)] }

    func isLent(_ buffer: ReceiveBuffer) -> Bool {
        switch buffer.size {
        case .small: small[Int(buffer.index)] > 0
        case .large: large[Int(buffer.index)] > 0
        }
    }

    /// False: too many are lent already.
    mutating func lend(_ buffer: ReceiveBuffer) -> Bool {
        let size = Int(buffer.size.rawValue)
        if !isLent(buffer) {
            guard lentCount[size] < limits[size] else { return false }
            lentCount[size] += 1
        }
        change(buffer, by: 1)
        return true
    }

    /// Ends one loan. True: it was the buffer's last one.
    mutating func end(_ buffer: ReceiveBuffer) -> Bool {
        change(buffer, by: -1)
        guard !isLent(buffer) else { return false }
        lentCount[Int(buffer.size.rawValue)] -= 1
        return true
    }

    private mutating func change(_ buffer: ReceiveBuffer, by difference: Int) {
        switch buffer.size {
        case .small: small[Int(buffer.index)] = UInt16(Int(small[Int(buffer.index)]) + difference)
        case .large: large[Int(buffer.index)] = UInt16(Int(large[Int(buffer.index)]) + difference)
        }
    }
}
