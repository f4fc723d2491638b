import Foundation
import TestSupport
import Testing

/// The simulated cluster is one that other clients take for a cluster: without that, what is shown
/// on it says little.
@Suite("Other clients on the simulator")
struct OtherClientsTests {
    private struct Cluster {
        let simulator: SimulatorProcess
        let node: String
        let folder: TemporaryFolder

        init() async throws {
            simulator = try await SimulatorProcess(["--nodes", "4"])
            node = try await simulator.nodes()[1].name
            folder = try TemporaryFolder()
        }

        /// Runs kubectl, with its caches in a folder of its own. What it says must be without a
        /// complaint: nothing on stderr.
        func kubectl(
            _ arguments: String..., complaint: String? = nil,
            _ location: SourceLocation = #_sourceLocation
        ) async throws -> String {
            let result = try await Program.run(
                "kubectl", ["--kubeconfig", simulator.kubeconfig] + arguments,
                environment: ["HOME": folder.path])
            #expect(
                (result.status == 0) == (complaint == nil), "\(arguments): \(result.errors)",
                sourceLocation: location)
            if let complaint {
                #expect(result.errors.contains(complaint), sourceLocation: location)
            } else {
                #expect(result.errors.isEmpty, "\(arguments)", sourceLocation: location)
            }
            return result.output
        }

        func file(_ text: String) throws -> String { try folder.write("\(UUID()).yaml", text) }
    }

    @Test func `kubectl describes, annotates, labels, cordons and taints a node`() async throws {
        let cluster = try await Cluster()
        let node = cluster.node
        #expect(
            try await cluster.kubectl("annotate", "node", node, "load=high")
                .contains("annotated"))
        _ = try await cluster.kubectl(
            "annotate", "node", node, "load=low", complaint: "already has a value")
        _ = try await cluster.kubectl("label", "node", node, "team=shop")
        _ = try await cluster.kubectl("cordon", node)
        _ = try await cluster.kubectl("taint", "node", node, "full=yes:NoSchedule")
        let description = try await cluster.kubectl("describe", "node", node)
        for part in [
            "load: high", "team=shop", "full=yes:NoSchedule", "Unschedulable:      true",
            "HolderIdentity:  \(node)", "Non-terminated Pods:          (0 in total)",
            "Events:              <none>",
        ] { #expect(description.contains(part), "\(part)") }
        _ = try await cluster.kubectl("uncordon", node)
        _ = try await cluster.kubectl("taint", "node", node, "full-")
        let rest = try await cluster.kubectl("get", "node", node, "-o", "jsonpath={.spec.taints}")
        #expect(rest == "")
        #expect(
            try await cluster.kubectl("get", "nodes", "-l", "team=shop", "-o", "name")
                == "node/\(node)\n")
    }

    @Test func `kubectl patches a node in each of the four ways`() async throws {
        let cluster = try await Cluster()
        for (type, patch) in [
            ("merge", #"{"metadata":{"annotations":{"merge":"1"}}}"#),
            ("strategic", #"{"metadata":{"annotations":{"strategic":"1"}}}"#),
            ("json", #"[{"op":"add","path":"/metadata/annotations/json","value":"1"}]"#),
        ] {
            _ = try await cluster.kubectl(
                "patch", "node", cluster.node, "--type", type, "-p", patch)
        }
        let applied = """
            apiVersion: v1
            kind: Node
            metadata: {name: \(cluster.node), annotations: {apply: "1"}}
            """
        _ = try await cluster.kubectl("apply", "--server-side", "-f", try cluster.file(applied))
        let annotations = try await cluster.kubectl(
            "get", "node", cluster.node, "-o", "jsonpath={.metadata.annotations}")
        for type in ["merge", "strategic", "json", "apply"] {
            #expect(annotations.contains("\"\(type)\":\"1\""))
        }
        let other = try cluster.file(applied.replacing(#""1""#, with: #""2""#))
        _ = try await cluster.kubectl(
            "apply", "--server-side", "--field-manager", "other", "-f", other,
            complaint: "conflict with \"kubectl\"")
        _ = try await cluster.kubectl(
            "apply", "--server-side", "--field-manager", "other", "--force-conflicts", "-f", other)
    }

    @Test func `kubectl deletes a node, and with a dry run does not`() async throws {
        let cluster = try await Cluster()
        _ = try await cluster.kubectl("delete", "node", cluster.node, "--dry-run=server")
        #expect(
            try await cluster.kubectl("get", "node", cluster.node, "-o", "name")
                == "node/\(cluster.node)\n")
        _ = try await cluster.kubectl("delete", "node", cluster.node, "--grace-period=10")
        _ = try await cluster.kubectl("get", "node", cluster.node, complaint: "not found")
    }

    @Test func `kubectl creates, applies, lists and deletes leases and events`() async throws {
        let cluster = try await Cluster()
        let lease = try cluster.file(
            """
            apiVersion: coordination.k8s.io/v1
            kind: Lease
            metadata: {name: leader, namespace: default}
            spec: {holderIdentity: one, leaseDurationSeconds: 15}
            """)
        _ = try await cluster.kubectl("create", "-f", lease)
        _ = try await cluster.kubectl("create", "-f", lease, complaint: "already exists")
        #expect(try await cluster.kubectl("get", "leases").contains("leader   one"))
        let event = try cluster.file(
            """
            apiVersion: v1
            kind: Event
            metadata: {name: node.1, namespace: default}
            involvedObject: {kind: Node, name: \(cluster.node), uid: \(cluster.node)}
            reason: Checked
            message: all is well
            type: Normal
            lastTimestamp: "2026-11-01T00:00:00Z"
            """)
        _ = try await cluster.kubectl("apply", "-f", event)
        #expect(try await cluster.kubectl("get", "events").contains("all is well"))
        #expect(
            try await cluster.kubectl("describe", "node", cluster.node).contains("all is well"))
        _ = try await cluster.kubectl("delete", "-f", lease)
        #expect(
            try await cluster.kubectl("get", "leases", "-o", "name", "--ignore-not-found") == "")
    }

    @Test func `kubectl asks what a user may do`() async throws {
        let cluster = try await Cluster()
        for (verb, answer) in [("watch", "yes\n"), ("delete", "no\n")] {
            let result = try await Program.run(
                "kubectl",
                [
                    "--kubeconfig", cluster.simulator.kubeconfig, "auth", "can-i", verb, "nodes",
                    "--as", "reader",
                ], environment: ["HOME": cluster.folder.path])
            #expect(result.output == answer)
        }
    }

    @Test func `the Python client does all that it can with nodes, leases and events`() async throws
    {
        let cluster = try await Cluster()
        let result = try await Program.run(
            "python3",
            [
                Checkout.root.appending(path: "Tests/Clients/kubernetes_client.py").path,
                cluster.simulator.kubeconfig, cluster.node,
            ],
            environment: ["PYTHONPATH": Checkout.root.appending(path: ".build-tools/python").path])
        #expect(result.output.hasSuffix("delete\ndone\n"), "\(result.output)\(result.errors)")
        #expect(result.errors.isEmpty)
    }
}
