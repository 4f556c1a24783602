/// A variable that only its loop's thread touches, in memory of its own: reached without the run-time exclusivity
/// check that a stored property of a class costs at every access, about 15 ns.
///
/// What the check would find cannot happen by this rule: an access ends before the loop calls anything that could come
/// back to the same variable. A list that is gone through while handlers run is first taken out of it.
@propertyWrapper @safe
struct LoopOwned<Value> {
    private let address: UnsafeMutablePointer<Value>

    init(wrappedValue: Value) {
        unsafe address = .allocate(capacity: 1)
        unsafe address.initialize(to: wrappedValue)
    }

    @inline(__always)
    var wrappedValue: Value {
        unsafeAddress { unsafe UnsafePointer(address) }
        nonmutating unsafeMutableAddress { unsafe address }
    }

    /// To be called once, by the owner's `deinit`.
    func deallocate() {
        unsafe address.deinitialize(count: 1)
        unsafe address.deallocate()
    }
}
