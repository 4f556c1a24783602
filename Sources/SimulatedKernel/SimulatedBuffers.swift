internal import Reactor

/// The receive buffers of one size. Each is either the kernel's or on loan, and a buffer that came back is overwritten,
/// so that whoever still reads it is found out.
@safe
final class SimulatedBuffers {
    let bufferSize: Int
    let count: Int
    private let memory: UnsafeMutableRawPointer
    private var free: [UInt16]
    private var isOnLoan: [Bool]

    init(count: Int, bufferSize: Int) {
        self.bufferSize = bufferSize
        self.count = count
        unsafe memory = .allocate(byteCount: count * bufferSize, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0xDD, count: count * bufferSize)
        free = (0..<UInt16(count)).reversed()
        isOnLoan = Array(repeating: false, count: count)
    }

    deinit { unsafe memory.deallocate() }

    var loanCount: Int { count - free.count }

    subscript(index: UInt16) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: memory + Int(index) * bufferSize, count: bufferSize)
    }

    func take() -> UInt16? {
        guard let index = free.popLast() else { return nil }
        isOnLoan[Int(index)] = true
        return index
    }

    func giveBack(_ index: UInt16) {
        law(isOnLoan[Int(index)], "receive buffer \(index) came back twice")
        isOnLoan[Int(index)] = false
        unsafe self[index].initializeMemory(as: UInt8.self, repeating: 0xDD)
        free.append(index)
    }
}
