/// Memory of its own for what only one loop's thread touches: reached without the run-time exclusivity check that a
/// stored property of a class costs at every access, about 15 ns.
///
/// What the check would find cannot happen by this rule: an access ends before the loop calls anything that could come
/// back to that variable. A list that is gone through while handlers run is first taken out of it.
@safe
struct LoopBox<Value: ~Copyable>: ~Copyable {
    let address: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        unsafe address = .allocate(capacity: 1)
        unsafe address.initialize(to: value)
    }

    deinit {
        unsafe address.deinitialize(count: 1)
        unsafe address.deallocate()
    }
}
