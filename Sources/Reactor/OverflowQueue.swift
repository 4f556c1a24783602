/// Where a producer keeps, in order, what a full lane did not take. Owned by the producing thread.
///
/// A ring that doubles as it fills; its memory is given back when it runs empty, since overflow is the exception.
@safe struct OverflowQueue<Element: Sendable>: ~Copyable {
    private var slots: UnsafeMutableBufferPointer<Element>
    private var first = 0
    private(set) var count = 0
    /// Memory that waits with the elements, as `append` was told.
    private(set) var byteCount = 0

    init() {
        unsafe slots = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    deinit {
        for offset in 0..<count {
            unsafe (slots.baseAddress! + slot(offset)).deinitialize(count: 1)
        }
        unsafe slots.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element, byteCount: Int = 0) {
        if unsafe count == slots.count { grow() }
        // Slots outside first..<first + count are uninitialized; there is one after `grow`.
        unsafe (slots.baseAddress! + slot(count)).initialize(to: element)
        count += 1
        self.byteCount += byteCount
    }

    /// Offers the elements in order to `accept` until it declines one (which then stays first) or none is left.
    mutating func drain(byteCount: (Element) -> Int = { _ in 0 }, while accept: (Element) -> Bool) {
        if isEmpty { return }
        while count > 0 {
            guard unsafe accept(slots[slot(0)]) else { return }
            self.byteCount -= unsafe byteCount(slots[slot(0)])
            unsafe (slots.baseAddress! + slot(0)).deinitialize(count: 1)
            first = slot(1)
            count -= 1
        }
        unsafe slots.deallocate()
        unsafe slots = UnsafeMutableBufferPointer(start: nil, count: 0)
        first = 0
    }

    private func slot(_ offset: Int) -> Int {
        unsafe (first + offset) & (slots.count - 1)
    }

    private mutating func grow() {
        let larger = unsafe UnsafeMutableBufferPointer<Element>.allocate(capacity: max(32, slots.count * 2))
        for offset in 0..<count {
            // Each element moves once: initialized in `slots`, uninitialized in `larger`.
            unsafe (larger.baseAddress! + offset).initialize(to: (slots.baseAddress! + slot(offset)).move())
        }
        unsafe slots.deallocate()
        unsafe slots = larger
        first = 0
    }
}
