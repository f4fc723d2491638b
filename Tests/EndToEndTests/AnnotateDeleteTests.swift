import Foundation
import TestSupport
import Testing

@Suite("plimsoll annotate and delete")
struct AnnotateDeleteTests {
    private struct Cluster {
        let simulator: SimulatorProcess
        let nodes: [String]
        var node: String { nodes[0] }

        init() async throws {
            simulator = try await SimulatorProcess(["--nodes", "3"])
            nodes = try await simulator.nodes().map(\.name)
        }

        func plimsoll(_ command: String, _ words: String...) async throws -> Program.Result {
            try await Program.run(
                "plimsoll", [command, "--kubeconfig", simulator.kubeconfig] + words)
        }

        func annotation(_ key: String, of node: String? = nil) async throws -> String {
            try await Program.run(
                "kubectl",
                [
                    "--kubeconfig", simulator.kubeconfig, "get", "node", node ?? self.node, "-o",
                    "jsonpath={.metadata.annotations.\(key)}",
                ]
            ).output
        }
    }

    @Test func `sets and removes annotations of several nodes`() async throws {
        let cluster = try await Cluster()
        let (a, b) = (cluster.nodes[0], cluster.nodes[1])
        var result = try await cluster.plimsoll("annotate", a, b, "load=high", "text=a=b c-")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "node/\(a) annotated\nnode/\(b) annotated\n")
        #expect(try await cluster.annotation("load", of: b) == "high")
        #expect(try await cluster.annotation("text", of: a) == "a=b c-")
        result = try await cluster.plimsoll("annotate", a, "load-")
        #expect(result.status == 0)
        #expect(try await cluster.annotation("load", of: a) == "")
        #expect(try await cluster.annotation("load", of: b) == "high")
    }

    @Test func `changes an annotation that is there only when told to`() async throws {
        let cluster = try await Cluster()
        _ = try await cluster.plimsoll("annotate", cluster.node, "load=high")
        var result = try await cluster.plimsoll("annotate", cluster.node, "load=low")
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(
            result.errors
                == "Error: cannot annotate node \(cluster.node): load has the value \"high\" already; "
                + "--overwrite changes it\n")
        result = try await cluster.plimsoll("annotate", cluster.node, "load=high")
        #expect(result.status == 0)
        result = try await cluster.plimsoll("annotate", cluster.node, "load=low", "--overwrite")
        #expect(result.status == 0)
        #expect(try await cluster.annotation("load") == "low")
    }

    @Test func `loses nothing when eight annotate one node at once`() async throws {
        let cluster = try await Cluster()
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for writer in 1...8 {
                group.addTask {
                    try await cluster.plimsoll(
                        "annotate", cluster.node, "writer\(writer)=here"
                    ).status
                }
            }
            for try await status in group { #expect(status == 0) }
        }
        for writer in 1...8 {
            #expect(try await cluster.annotation("writer\(writer)") == "here")
        }
    }

    @Test func `leaves what it does not know as it is`() async throws {
        let cluster = try await Cluster()
        let kubectl = ["--kubeconfig", cluster.simulator.kubeconfig]
        _ = try await Program.run(
            "kubectl",
            kubectl + [
                "patch", "node", cluster.node, "--type=merge", "-p",
                #"{"spec":{"newField":{"big":9007199254740993,"list":[1,{"a":null,"b":"<&>"}]}}}"#,
            ])
        func spec() async throws -> String {
            try await Program.run(
                "kubectl", kubectl + ["get", "node", cluster.node, "-o", "jsonpath={.spec}"]
            ).output
        }
        let before = try await spec()
        #expect(before.contains("9007199254740993"))
        _ = try await cluster.plimsoll("annotate", cluster.node, "seen=yes")
        #expect(try await spec() == before)
    }

    @Test func `does nothing for good in a dry run`() async throws {
        let cluster = try await Cluster()
        var result = try await cluster.plimsoll(
            "annotate", cluster.node, "load=high", "--dry-run=server")
        #expect(result.output == "node/\(cluster.node) annotated (server dry run)\n")
        #expect(try await cluster.annotation("load") == "")
        result = try await cluster.plimsoll(
            "delete", cluster.node, "--grace-period=10", "--dry-run=server")
        #expect(result.output == "node/\(cluster.node) deleted (server dry run)\n")
        #expect(try await cluster.simulator.nodes().count == 3)
    }

    @Test func `deletes the nodes it can, and says which it cannot`() async throws {
        let cluster = try await Cluster()
        var result = try await cluster.plimsoll("delete", cluster.node, "--uid", "another")
        #expect(result.status == 1)
        #expect(result.errors.contains("the UID in the precondition (another) does not match"))
        result = try await cluster.plimsoll(
            "delete", cluster.node, "nope", cluster.nodes[1], "--grace-period", "10")
        #expect(result.status == 1)
        #expect(
            result.output == "node/\(cluster.node) deleted\nnode/\(cluster.nodes[1]) deleted\n")
        #expect(
            result.errors
                == "Error: cannot delete node nope: the server says 404: nodes \"nope\" not found\n"
        )
        #expect(try await cluster.simulator.nodes().map(\.name) == [cluster.nodes[2]])
    }

    @Test(arguments: [
        (["annotate", "x"], "Say what to change"), (["annotate", "a=b"], "Name a node"),
        (["annotate", "x", "=b"], "has no key"),
        (["delete", "x", "--grace-period=-1"], "--grace-period must be 0 or more seconds"),
        (["delete"], "Missing expected argument"),
        (["delete", "x", "--dry-run=client"], "--dry-run"),
        (["annotate", "x", "a=b", "--request-timeout", "soon"], "--request-timeout"),
    ])
    func `says what is wrong with a command line, and ends with 2`(
        words: [String], expected: String
    ) async throws {
        let result = try await Program.run("plimsoll", words)
        #expect(result.status == 2)
        #expect(result.errors.contains(expected), "\(result.errors)")
    }
}
