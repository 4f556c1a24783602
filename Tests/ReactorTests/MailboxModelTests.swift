import Testing

/// All interleavings of the mailbox's sleeping protocol. What the code itself does under load is MailboxStressTests'.
@Suite struct MailboxModelTests {
    @Test func `no interleaving of one to four batches loses a wake-up`() {
        for pushes in 1...4 {
            let result = MailboxModel.explore(pushes: pushes, without: nil)
            #expect(!result.isLost)
            #expect(result.states > 50)
        }
    }

    @Test(arguments: MailboxModel.Flaw.allCases)
    func `a protocol without one of its parts loses one`(flaw: MailboxModel.Flaw) {
        #expect(MailboxModel.explore(pushes: 3, without: flaw).isLost)
    }
}
