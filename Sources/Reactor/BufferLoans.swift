/// Receive buffers that sends borrow from: each goes back to the kernel when its last send is over.
struct BufferLoans {
    /// How many sends borrow from each buffer, by size and index.
    private var users: InlineArray<2, [UInt16]>
    private var lentCounts = InlineArray<2, Int>(repeating: 0)

    /// Takes how many buffers of each size there are; half of them may be lent.
    init(small: Int, large: Int) {
        users = [Array(repeating: 0, count: small), Array(repeating: 0, count: large)]
    }

    func count(of size: ReceiveBufferSize) -> Int { lentCounts[Int(size.rawValue)] }

    func isLent(_ buffer: ReceiveBuffer) -> Bool { users[Int(buffer.size.rawValue)][Int(buffer.index)] > 0 }

    /// Counts one more send from a buffer. Returns false when too many buffers are lent already.
    mutating func lend(_ buffer: ReceiveBuffer) -> Bool {
        let size = Int(buffer.size.rawValue)
        if !isLent(buffer) {
            guard lentCounts[size] < users[size].count / 2 else { return false }
            lentCounts[size] += 1
        }
        users[size][Int(buffer.index)] += 1
        return true
    }

    /// Ends one loan. Returns whether it was the buffer's last one.
    mutating func end(_ buffer: ReceiveBuffer) -> Bool {
        let size = Int(buffer.size.rawValue)
        users[size][Int(buffer.index)] -= 1
        guard !isLent(buffer) else { return false }
        lentCounts[size] -= 1
        return true
    }
}
