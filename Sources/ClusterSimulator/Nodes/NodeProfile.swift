/// The shape of a provider's nodes: what their objects hold besides the images, and which images
/// they are born with. Facts are those of published nodes of the three providers.
struct NodeProfile: Sendable {
    struct Condition: Sendable {
        var type: String
        var isTrue = false
        var reason: String
        var message: String

        init(_ type: String, _ reason: String, _ message: String, isTrue: Bool = false) {
            self.type = type
            self.reason = reason
            self.message = message
            self.isTrue = isTrue
        }
    }

    /// How many images a kubelet reports: `nodeStatusMaxImages` by default.
    static let imageCap = 50

    var pools: [String]
    var name: @Sendable (_ ordinal: Int, _ pool: String, inout SeededRandom) -> String
    var labels: @Sendable (SimulatedNode) -> [(String, String)]
    var annotations: @Sendable (SimulatedNode) -> [(String, String)]
    var providerID: @Sendable (SimulatedNode) -> String
    var resources: [(String, String)]
    var allocatable: [(String, String)]
    var conditions: [Condition]
    var nodeInfo: [(String, String)]
    /// Names and sizes of what is on the disk from birth, before the cluster's own images.
    var systemImages: @Sendable (inout SeededRandom) -> [(names: [String], sizeBytes: Int)]
    /// How many images a node starts with, the system's included.
    var imageCount: ClosedRange<Int>

    /// The four conditions every kubelet reports.
    static let kubeletConditions = [
        Condition(
            "MemoryPressure", "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"),
        Condition("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        Condition(
            "PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        Condition("Ready", "KubeletReady", "kubelet is posting ready status", isTrue: true),
    ]

    /// What node-problem-detector adds on AKS and GKE.
    static let problemDetectorConditions = [
        Condition("KernelDeadlock", "KernelHasNoDeadlock", "kernel has no deadlock"),
        Condition(
            "ReadonlyFilesystem", "FilesystemIsNotReadOnly", "Filesystem is not read-only"),
        Condition(
            "FrequentKubeletRestart", "NoFrequentKubeletRestart", "kubelet is functioning properly"),
        Condition(
            "FrequentDockerRestart", "NoFrequentDockerRestart", "docker is functioning properly"),
        Condition(
            "FrequentContainerdRestart", "NoFrequentContainerdRestart",
            "containerd is functioning properly"),
        Condition(
            "FrequentUnregisterNetDevice", "NoFrequentUnregisterNetDevice",
            "node is functioning properly"),
    ]

    /// Labels that every provider sets.
    static func commonLabels(
        _ node: SimulatedNode, instanceType: String, region: String, zone: String
    ) -> [(String, String)] {
        [
            ("beta.kubernetes.io/arch", "amd64"),
            ("beta.kubernetes.io/instance-type", instanceType),
            ("beta.kubernetes.io/os", "linux"),
            ("failure-domain.beta.kubernetes.io/region", region),
            ("failure-domain.beta.kubernetes.io/zone", zone),
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/hostname", node.name),
            ("kubernetes.io/os", "linux"),
            ("node.kubernetes.io/instance-type", instanceType),
            ("topology.kubernetes.io/region", region),
            ("topology.kubernetes.io/zone", zone),
        ]
    }

    /// A made-up application image with a digest and a tag, as a node lists one it pulled.
    static func applicationImage(_ number: Int, _ random: inout SeededRandom) -> (
        names: [String], sizeBytes: Int
    ) {
        let teams = ["shop", "search", "billing", "ml", "platform", "media", "edge", "risk"]
        let parts = ["api", "worker", "web", "sync", "gateway", "index", "batch", "proxy", "train"]
        let repository =
            "registry.example.com/\(teams[number % teams.count])/"
            + "\(parts[number / teams.count % parts.count])-\(number)"
        // Sizes spread like those of real images: most around 100 MB, a few of several GB.
        let scale = Double.random(in: 0...1, using: &random)
        let megabytes = 8 + 900 * scale * scale * scale + (scale > 0.98 ? 6000 * scale : 0)
        let size = Int(megabytes * 1_000_000) + Int(random.next() % 1_000_000)
        return (
            [
                "\(repository)@sha256:\(random.hex(64))",
                "\(repository):v\(number % 7 + 1).\(random.next() % 30)",
            ], size
        )
    }
}

/// Which provider's nodes to simulate.
public enum NodeShape: String, CaseIterable, Sendable {
    case eks, aks, gke

    var profile: NodeProfile {
        switch self {
        case .eks: .eks
        case .aks: .aks
        case .gke: .gke
        }
    }
}
