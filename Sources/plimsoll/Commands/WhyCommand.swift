import ArgumentParser
import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Explain one node: what its number is made of, and what rules say of it.",
        discussion: """
              plimsoll why NODE
              plimsoll why NODE --image-fs --rules rules.yaml --state /var/lib/plimsoll
            """)

    /// Of the largest images and of repositories with several versions.
    private static let most = 10

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var detection: DetectionOptions
    @OptionGroup var kubelet: KubeletOptions

    @Option(
        help: ArgumentHelp("Say what these rules make of it.", valueName: "file"),
        completion: .file())
    var rules: String?

    @Option(
        help: ArgumentHelp(
            "Say what was told of it last, by the state of a watch.", valueName: "folder"),
        completion: .directory)
    var state: String?

    @Argument(help: "The node.")
    var node: String

    func run() async throws {
        let file = try rules.map(RulesOption.read)
        let client = try connection.client(limits.decodingLimits)
        // Of its pool, too: whether a list is cut others of it may tell.
        let nodes = try await ClusterSnapshot.nodes(
            client, .all, labels: file?.furtherLabels ?? [])
        guard let node = nodes.first(where: { $0.name == node }) else {
            throw Failure("node \"\(node)\" not found")
        }
        var reading: ImageFileSystem?
        if let kubelets = kubelet.kubelets(client) {
            reading = try await ImageFileSystems.read([node.name], kubelets)[node.name]
        }
        let isTruncated = ImageListCap(detection.options.cap, knowing: nodes).isTruncated(node)
        for (title, text) in facts(node, isTruncated, reading) {
            Output.line(title + String(repeating: " ", count: max(1, 20 - title.count)) + text)
        }
        tellImages(node)
        if let state { try tellLastAlerts(node, state) }
        if let file { tellRules(file, nodes, node, reading, client.configuration.contextName) }
    }

    private func facts(
        _ node: NodeSummary, _ isTruncated: Bool, _ reading: ImageFileSystem?
    ) -> [(String, String)] {
        let place = [node.pool, node.zone, node.instanceType].compactMap { $0 }
            .joined(separator: ", ")
        var facts = [
            ("node", node.name + (place.isEmpty ? "" : " (\(place))")),
            (
                "runtime",
                "\(node.containerRuntimeVersion ?? "unknown"), kubelet "
                    + "\(node.kubeletVersion ?? "unknown")"
            ),
        ]
        guard node.hasImageList, let bytes = node.imageBytes else {
            facts.append(
                ("images", node.hasImageList ? "their sum does not fit" : "unknown: it lists none"))
            return facts
        }
        let count = "\(node.imageCount) image\(node.imageCount == 1 ? "" : "s")"
        facts.append(
            ("images", "\(isTruncated ? "≥ " : "")\(ByteText.text(bytes)) in \(count), as reported")
        )
        facts.append(
            (
                "sizes are",
                node.basis == .reportedCompressed
                    ? "compressed: what was downloaded. Unpacked they take two to three times as much"
                    : "of unpacked layers; layers that images share count once for each"
            ))
        if isTruncated {
            let least = node.images.map(\.sizeBytes).min() ?? 0
            facts.append(
                (
                    "list",
                    "cut: there may be more, none larger than \(ByteText.text(least))"
                ))
        }
        if let capacity = node.capacityBytes, let percent = node.percentOfCapacity {
            facts.append(
                (
                    "ephemeral storage",
                    "\(ByteText.text(capacity)); the images would be "
                        + "\(Int(percent.rounded())) % of it if they were there"
                ))
        }
        if let reading {
            facts.append(
                (
                    "image filesystem",
                    "\(ByteText.text(reading.usedBytes)) of images and containers, "
                        + "\(ByteText.text(reading.availableBytes)) of "
                        + "\(ByteText.text(reading.capacityBytes)) free (kubelet, \(reading.time))"
                ))
        }
        facts.append(("state", NodeRow(node, isTruncated: isTruncated).state))
        return facts
    }

    private func tellLastAlerts(_ node: NodeSummary, _ folder: String) throws {
        let last = try AlertState.lastAlerts(in: folder, of: node.name, most: Self.most)
        Output.line("")
        Output.line(last.isEmpty ? "told of it within 7 days: nothing" : "told of it last:")
        for (time, text) in last {
            // Of that node all of it is.
            let prefix = "\(node.name): "
            let rest = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
            Output.line("  \(Date.ISO8601FormatStyle().format(time))  \(rest)")
        }
    }

    private func tellImages(_ node: NodeSummary) {
        let total = Double(max(1, node.imageBytes ?? 1))
        let images = node.images.sorted {
            ($0.sizeBytes, $1.displayName) > ($1.sizeBytes, $0.displayName)
        }
        var table = TextTable(columns: [
            .init(title: "LARGEST IMAGES"), .init(title: "SIZE", isNumber: true),
            .init(title: "%", isNumber: true),
        ])
        table.rows = images.prefix(Self.most).map { image in
            [
                image.displayName, ByteText.text(image.sizeBytes),
                "\(Int((Double(image.sizeBytes) / total * 100).rounded()))",
            ]
        }
        if images.isEmpty { return }
        Output.line("\n" + table.text)
        if images.count > Self.most { Output.line("and \(images.count - Self.most) more") }
        let old = RepositoryVersions.all(of: images).filter { $0.images.count > 1 }
        guard !old.isEmpty else { return }
        var versions = TextTable(columns: [
            .init(title: "SEVERAL VERSIONS OF"), .init(title: "VERSIONS", isNumber: true),
            .init(title: "SIZE", isNumber: true),
        ])
        versions.rows = old.prefix(Self.most).map {
            [$0.repository, "\($0.images.count)", ByteText.text($0.bytes)]
        }
        Output.line("\n" + versions.text)
    }

    private func tellRules(
        _ file: RuleFile, _ nodes: [NodeSummary], _ node: NodeSummary,
        _ reading: ImageFileSystem?, _ cluster: String
    ) {
        let check = RuleCheck(
            file.rules, [node], readings: reading.map { [node.name: $0] } ?? [:],
            cluster: cluster, cap: detection.options.cap)
        var table = TextTable(columns: [
            .init(title: "RULE"), .init(title: "SEVERITY"), .init(title: "SAYS"),
        ])
        table.rows = check.results.map { result in
            let word: String
            if result.nodeCount == 0 {
                word = "does not look at this node"
            } else if let alert = result.alerts.first {
                word = alert.summary
            } else {
                word = result.objection ?? "fine"
            }
            return [result.rule.name, result.rule.severity.rawValue, word]
        }
        Output.line("\n" + table.text)
    }
}

/// The images of one repository.
struct RepositoryVersions {
    var repository: String
    var images: [ContainerImage]

    var bytes: Int {
        images.reduce(0) { $0.addingReportingOverflow($1.sizeBytes).partialValue }
    }

    /// Those that take most first.
    static func all(of images: [ContainerImage]) -> [RepositoryVersions] {
        Dictionary(grouping: images.filter { $0.repository != nil }) { $0.repository! }
            .map { RepositoryVersions(repository: $0.key, images: $0.value) }
            .sorted { ($0.bytes, $1.repository) > ($1.bytes, $0.repository) }
    }
}
