import Testing

@testable import Ringcast

@Suite struct ClusterNoticeTests {
    private static let name = "0123456789abcdef"
    private static let notices: [ClusterNotice] = [
        .here(node: name, sockets: 12), .gone(node: name),
        .question(asker: name, number: .max, .init(kind: .presence, topic: "ä:,")),
        .answer(node: name, number: 1, isLast: false, part: [0, 255, 58, 44]),
        .answer(node: name, number: 0, isLast: true, part: []),
    ]

    @Test(arguments: notices)
    func `a notice is read as it was written, and no part of it is one`(_ notice: ClusterNotice) {
        let bytes = notice.bytes
        #expect(ClusterNotice(bytes) == notice)
        for count in bytes.indices { #expect(ClusterNotice(Array(bytes[..<count])) == nil) }
    }

    @Test(arguments: [
        "", ":", "4:here", "4:here,", "4:here,16:0123456789abcdef,1:b,", "4:here,16:0123456789abcdef,2:-1,",
        "3:ask,16:0123456789abcdef,1:x,8:presence,1:t,", "3:ask,16:0123456789abcdef,1:1,3:all,1:t,",
        "4:here,16:0123456789abcdeg,1:1,", "4:here,17:0123456789abcdef0,1:1,", "-1:,", "+4:here,1:a,",
        "999999999999999999999:a,", "99999999:a,", "3:say,16:0123456789abcdef,2:-1,4:last,0:,",
    ])
    func `what anybody else says is none`(_ text: String) {
        #expect(ClusterNotice(Array(text.utf8)) == nil)
    }

    @Test func `members are read as they were written`() {
        let members = [
            PresentMember(id: "ann", info: nil, socketCount: 2), PresentMember(id: "", info: "", socketCount: 1),
            PresentMember(id: "bob,3:", info: "{\"a\":1}", socketCount: 9),
        ]
        let bytes = members.flatMap(\.written)
        #expect(PresentMember.read(bytes) == members)
        #expect(PresentMember.read(Array("1:a,1:0,0:,1:b,99:".utf8)) == [])
        #expect(PresentMember.read(Array("1:a,1:0,0:,1:b,2:-1,0:,1:c,1:1,0:,1:d,".utf8)).map(\.id) == ["c"])
    }

    @Test func `topics of notices are no user's to publish to`() {
        let configuration = ServerConfiguration(topics: [.matching("*", scope: .cluster)])
        #expect(configuration.policyWord(of: ClusterNotice.all) & TopicScope.mask != 0)
        #expect(configuration.policyWord(of: "news") & TopicScope.mask == 0)
    }
}
