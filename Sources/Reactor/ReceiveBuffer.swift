/// Small buffers serve everybody; a connection moves to the few large ones while a large frame arrives.
package enum ReceiveBufferSize: UInt16, BitwiseCopyable, Sendable {
    case small, large
}

/// One receive buffer, on loan from the driver.
package struct ReceiveBuffer: Hashable, BitwiseCopyable, Sendable {
    package let size: ReceiveBufferSize
    package let index: UInt16

    package init(_ size: ReceiveBufferSize, index: UInt16) {
        self.size = size
        self.index = index
    }
}
