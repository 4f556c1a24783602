extension EventLoop {
    /// The handler that was made for this loop.
    package var installedHandler: any ConnectionHandler { unsafe handler }
}

extension Connection {
    /// Asks for `drained` when everything that is queued has been taken by the kernel, also if it leaves without ever
    /// blocking.
    package func notifyWhenDrained() { slot.state.flags.insert(.wantsDrain) }
}

extension LoopGroupConfiguration {
    /// How many loops a group of this configuration will have.
    package func resolvedLoopCount() throws(ReactorError) -> Int { try LoopPlan(self).loopCount }
}
