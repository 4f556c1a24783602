import SimulatedKernel

/// What goes wrong by a step's decision; what a kernel does by itself is the driver's to choose.
extension SimulatedWorld {
    func breakClient() {
        // Readers come back.
        guard random.oneIn(ledger.histories == nil ? 3 : 1), let client = present.randomElement(using: &random),
            client.isWell
        else { return }
        brokenByHand += 1
        client.breakOff(&random)
    }

    func breakDriver() {
        let loop = loops.randomElement(using: &random)!
        let driver = loop.driver
        brokenByHand += 1
        switch Int.random(in: 0..<7, using: &random) {
        case 0: driver.acceptErrors.append([12, 23, 24, 103, 105].randomElement(using: &random)!)
        case 1: missCancel(on: driver)
        case 2: driver.interruptedWaits += 1
        case 3: driver.nextWaitDuration = UInt64.random(in: 1...400, using: &random)
        case 4: driver.options.completionLimit = Int.random(in: 1...64, using: &random)
        case 5: driver.refusedNotifications += 1
        // A loop that stands still while the others go on.
        default:
            let others = loops.filter { $0 !== loop }
            for _ in 0..<20 { for other in others { turn(other) } }
        }
    }

    /// The next cancel finds nothing, though it is there.
    func missCancel(on driver: SimulatedDriver? = nil) {
        let driver = driver ?? loops.randomElement(using: &random)!.driver
        driver.missedCancels += 1
    }
}
