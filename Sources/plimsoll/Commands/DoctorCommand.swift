import ArgumentParser
import ImageAlerts
import KubeClient
import NodeWatch

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the connection, the permissions, and what the data can and cannot say.",
        discussion: """
            Every line is ok, note (good to know) or fail (watching does not work). Nothing is changed \
            in the cluster.

              plimsoll doctor
              plimsoll doctor --context prod -o json

            Ends with 0, or with 1 when a check failed.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, yaml }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var selectors: SelectorOptions

    @Option(name: .shortAndLong, help: "How to write it.")
    var output = Format.text

    func run() async throws {
        var doctor = Doctor(isSpoken: output == .text)
        await doctor.examine(selectors.nodes) { () throws(KubeError) in
            try connection.client(limits.decodingLimits)
        }
        switch output {
        case .text: break
        case .json: Output.line(doctor.report.json())
        case .yaml: Output.text(doctor.report.yaml())
        }
        if doctor.hasFailed { throw ExitCode.failure }
    }
}

/// The checks, one after another; those that need what failed are left out.
private struct Doctor {
    private enum Verdict: String {
        case ok, note, fail
    }

    /// What this program may want to do, and what for.
    private static let permissions: [(verb: String, type: ResourceType, use: String)] = [
        ("get", .nodes, "annotate"), ("update", .nodes, "annotate"), ("delete", .nodes, "delete"),
    ]

    private let isSpoken: Bool
    private var findings: [(verdict: Verdict, check: String, detail: String)] = []

    init(isSpoken: Bool) { self.isSpoken = isSpoken }

    var hasFailed: Bool { findings.contains { $0.verdict == .fail } }

    var report: OutputValue {
        .object([
            ("apiVersion", .string("plimsoll/v1")), ("kind", .string("DoctorReport")),
            ("healthy", .bool(!hasFailed)),
            (
                "checks",
                .array(
                    findings.map { finding in
                        .object([
                            ("check", .string(finding.check)),
                            ("verdict", .string(finding.verdict.rawValue)),
                            ("detail", .string(finding.detail)),
                        ])
                    })
            ),
        ])
    }

    private mutating func say(_ verdict: Verdict, _ check: String, _ detail: String) {
        findings.append((verdict, check, detail))
        guard isSpoken else { return }
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        Output.line("\(padded(verdict.rawValue, 4))  \(padded(check, 13))  \(detail)")
    }

    mutating func examine(
        _ selector: NodeSelector, _ makeClient: () throws(KubeError) -> KubeClient
    ) async {
        let client: KubeClient
        do throws(KubeError) {
            client = try makeClient()
        } catch {
            say(.fail, "configuration", error.message)
            return
        }
        let configuration = client.configuration
        say(.ok, "configuration", configuration.description)
        if configuration.isInsecure {
            say(.note, "configuration", "any server certificate is accepted: others can listen in")
        }
        if !configuration.server.hasPrefix("https://") {
            say(.note, "configuration", "the server is asked in the clear, and no token is sent")
        }
        guard await connects(client) else { return }
        await examinePermissions(client)
        await examineNodes(client, selector)
    }

    // MARK: Connection and permissions

    private mutating func connects(_ client: KubeClient) async -> Bool {
        let clock = ContinuousClock()
        do throws(KubeError) {
            let start = clock.now
            let version = try await client.serverVersion()
            let first = NumberText.seconds(clock.now - start)
            say(
                .ok, "connection",
                "\(version.gitVersion) (\(version.platform)), answered after \(first)")
            return true
        } catch  where error.httpStatus == 403 {
            say(.note, "connection", "the server does not tell its version to everybody")
            return true
        } catch {
            say(.fail, "connection", ProblemText.text(error, client.configuration))
            return false
        }
    }

    private mutating func examinePermissions(_ client: KubeClient) async {
        do throws(KubeError) {
            var denied: [String] = []
            for verb in ["list", "watch"] {
                let review = try await client.access(to: verb, .nodes)
                if !review.isAllowed { denied.append(verb) }
            }
            if denied.isEmpty {
                say(.ok, "permissions", "may list and watch nodes, all that `watch` needs")
            } else {
                say(
                    .fail, "permissions",
                    "may not \(denied.joined(separator: " nor ")) nodes: grant a ClusterRole with the "
                        + "verbs list and watch on nodes")
            }
            var missing: [String: [String]] = [:]
            for (verb, type, use) in Self.permissions
            where try await !client.access(to: verb, type).isAllowed {
                missing[use, default: []].append("\(verb) \(type.qualifiedName)")
            }
            for (use, verbs) in missing.sorted(by: { $0.key < $1.key }) {
                say(
                    .note, "permissions",
                    "may not \(verbs.joined(separator: " nor ")), which only `\(use)` needs")
            }
        } catch {
            say(.note, "permissions", "cannot be asked for: \(error.message)")
        }
    }

    // MARK: Data

    private mutating func examineNodes(_ client: KubeClient, _ selector: NodeSelector) async {
        let nodes: [NodeSummary]
        do {
            let (found, sync) = try await ClusterSnapshot.take(client, selector)
            nodes = found
            say(.ok, "nodes", sync.text)
            if sync.kind != .watchList {
                say(
                    .note, "nodes",
                    "the server has no streaming lists (Kubernetes 1.34 has): each list costs it memory "
                        + "for all nodes at once")
            }
        } catch {
            say(.fail, "nodes", "\(error)")
            return
        }
        if nodes.isEmpty {
            say(.note, "nodes", "there are none, or the selector matches none")
            return
        }
        examineImages(nodes)
    }

    private mutating func examineImages(_ nodes: [NodeSummary]) {
        let cap = ImageListCap(knowing: nodes)
        func count(_ condition: (NodeSummary) -> Bool) -> Int {
            nodes.reduce(0) { $0 + (condition($1) ? 1 : 0) }
        }
        func share(_ count: Int) -> String {
            "\(NumberText.grouped(count)) of \(NumberText.grouped(nodes.count)) nodes"
        }
        let cut = count(cap.isTruncated)
        if cut > 0 {
            say(
                .note, "image lists",
                "\(share(cut)) list exactly as many images as their kubelet lists at most (50 by "
                    + "default): their totals are lower bounds (≥), and an image that leaves the list "
                    + "may still be there. nodeStatusMaxImages of the kubelet raises it")
        }
        let missing = count { !$0.hasImageList }
        if missing > 0 {
            say(
                .note, "image lists",
                "\(share(missing)) report no list (–), as kubelets do that have just started")
        }
        if cut == 0, missing == 0 { say(.ok, "image lists", "every node's is whole") }
        let compressed = count { $0.basis == .reportedCompressed }
        let packed =
            "report compressed sizes (containerd): images take more room on the disk, often 2 to 3 times "
            + "as much"
        switch compressed {
        case nodes.count: say(.note, "sizes", "all nodes \(packed)")
        case 0:
            say(
                .note, "sizes",
                "all nodes report unpacked sizes; layers that images share count once for each")
        default:
            say(
                .note, "sizes",
                "\(share(compressed)) \(packed); the others unpacked ones: do not compare them")
        }
        say(.ok, "kubelets", versions(nodes, \.kubeletVersion))
        say(.ok, "runtimes", versions(nodes, \.containerRuntimeVersion))
        let silent = count { $0.ready != .isTrue }
        if silent > 0 {
            say(
                .note, "readiness",
                "\(share(silent)) are not ready: what they report may be old")
        }
    }

    /// "v1.36.2 (4,990), v1.35.1 (10)", the most frequent first.
    private func versions(
        _ nodes: [NodeSummary], _ version: (NodeSummary) -> String?
    ) -> String {
        var counts: [String: Int] = [:]
        for node in nodes { counts[version(node) ?? "unknown", default: 0] += 1 }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let shown = sorted.prefix(8).map { "\($0.key) (\(NumberText.grouped($0.value)))" }
        let rest = sorted.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
