internal import CIOUring

/// Sockets that the ring knows by their place in a table of its own ("registered files"): an operation that names the
/// place spares the kernel a look-up and two atomic changes of a count that lies far from the socket, about 50 ns.
///
/// The kernel keeps a socket open while it is in the table, so it has to be taken out before its descriptor is closed.
/// The ring it is registered with has to outlive it. Used on that ring's thread only.
@safe
package struct FileTable: ~Copyable {
    /// Places of the table; 0 where the kernel gives none.
    package let capacity: Int
    /// The socket at each place. The kernel reads it when it takes the submission, so the memory is the table's own.
    private let descriptors: UnsafeMutablePointer<Int32>

    private static let empty: Int32 = -1

    package init(in ring: borrowing Ring, capacity: Int) {
        let isRegistered =
            unsafe KernelFeature.registeredFiles.isAllowed
            && io_uring_register_files_sparse(ring.storage, UInt32(capacity)) == 0
        self.capacity = isRegistered ? capacity : 0
        unsafe descriptors = .allocate(capacity: max(self.capacity, 1))
        unsafe descriptors.initialize(repeating: Self.empty, count: max(self.capacity, 1))
    }

    deinit { unsafe descriptors.deallocate() }

    package func contains(_ place: Int) -> Bool { unsafe place < capacity && descriptors[place] != Self.empty }

    /// Puts a socket at a place that is free; nothing happens beyond the capacity.
    package func insert(_ socket: Int32, at place: Int, in ring: borrowing Ring, userData: UInt64) {
        guard place < capacity else { return }
        unsafe descriptors[place] = socket
        unsafe ring.updateFile(at: place, to: descriptors + place, userData: userData)
    }

    /// For a socket that the kernel would not take: its sends go by the descriptor now. Returns whether it was there.
    package func forget(_ place: Int) -> Bool {
        guard contains(place) else { return false }
        unsafe descriptors[place] = Self.empty
        return true
    }

    package func remove(_ place: Int, in ring: borrowing Ring, userData: UInt64) {
        guard contains(place) else { return }
        unsafe descriptors[place] = Self.empty
        removeAgain(place, in: ring, userData: userData)
    }

    /// Asks again for a place that the kernel has not emptied; not if another socket has been put there since.
    package func removeAgain(_ place: Int, in ring: borrowing Ring, userData: UInt64) {
        guard place < capacity, !contains(place) else { return }
        unsafe ring.updateFile(at: place, to: descriptors + place, userData: userData)
    }
}
