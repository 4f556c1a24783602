extension EventLoop {
    /// Writes bytes that several connections of this loop will send, as `share(_:_:)`, to one of several logs.
    ///
    /// Who gets bytes of one log only, one after the other, sends them as one piece: so every form in which the same is
    /// sent has a log of its own. Log 0 is that of `share(_:_:)`, the others are made when they are first used.
    package func share(_ count: Int, in log: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> SharedBytes {
        if log == 0 { return unsafe share(count, fill) }
        while otherLogs.count < log { otherLogs.append(SharedLog(blocks: sharedBlocks)) }
        return unsafe otherLogs[log - 1].append(count, fill)
    }
}
