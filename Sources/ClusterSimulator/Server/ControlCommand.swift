import ObjectEncoding

/// What a person does to a running simulation by hand: one line of words, one line of answer.
public struct ControlCommand: Sendable {
    /// One line that says what is wrong.
    public struct Invalid: Error, Sendable {
        /// For people.
        public var message: String
    }

    /// Every command with its arguments and what it does.
    public static let usage: [(words: String, meaning: String)] = [
        ("pull NODE IMAGE SIZE", "the node pulls an image of that size (212MB, 3.7GiB, 1000000)"),
        ("remove NODE IMAGE", "the image goes"),
        ("swap NODE IMAGE OTHER", "OTHER takes the image's place, with the same size"),
        ("retag NODE IMAGE TAG", "the image gets another tag; digest and size stay"),
        ("reorder NODE", "the image list comes in another order"),
        ("lose-images NODE", "the image list is missing until the next change"),
        ("heartbeats COUNT", "so many heartbeats, the nodes taking turns"),
        ("gc NODE SIZE", "garbage collection frees at least so much"),
        ("disk-pressure NODE on|off", "sets the condition DiskPressure"),
        ("reboot NODE", "the machine starts anew, with the images it had"),
        ("cordon NODE", "makes the node unschedulable"),
        ("uncordon NODE", "makes it schedulable again"),
        ("bloat NODE SIZE", "an annotation of that size is on the node"),
        ("add-node", "a node joins"),
        ("delete-node NODE", "a node leaves"),
        ("replace-node NODE", "a node leaves and another of its name joins"),
        ("compact", "the history is lost: watches end with 410 and must list again"),
        ("forget-history", "the history is lost; watches find out when they resume"),
        ("end", "ends every watch of nodes in good order"),
        ("cut", "cuts every watch's connection"),
        ("go-away", "asks for other connections in HTTP/2; what is under way goes on"),
        ("mute", "lets every open watch hear nothing any more, and nobody knows"),
        ("back-up", "keeps the state as it is for `restore`"),
        ("restore", "goes back to the backup, resourceVersion included, as after a disaster"),
        (
            "fault TARGET KIND",
            "spoils the next request; TARGET is any, list or watch, KIND is status=CODE, "
                + "status=429,SECONDS, html, json, garbage, hang, close, truncate=BYTES, reset=BYTES, "
                + "stall=BYTES, drip=BYTES (a second), duplicates, event=CODE, event=429,SECONDS or "
                + "no-end-bookmark"
        ),
        (
            "certificate KIND NAME",
            "prints a certificate and its key; KIND is user, or server for a server of that name on "
                + "this machine"
        ),
        ("nodes", "prints names, uids, resourceVersions, image bytes and numbers of images"),
    ]

    private let cluster: Cluster
    private let objects: ObjectStore
    private let faults: Faults
    private let authority: CertificateAuthority
    private let goAway: @Sendable () -> Void

    /// Commands for a server and its cluster.
    public init(_ server: SimulatorServer) {
        cluster = server.cluster
        objects = server.objects
        faults = server.faults
        authority = server.authority
        goAway = { server.goAway() }
    }

    /// Whether the words are a command, with as many arguments as it takes. Returns how it is used.
    @discardableResult
    static func check(_ words: [String]) throws(Invalid) -> (words: String, meaning: String) {
        guard let name = words.first else { throw Invalid(message: "a command is missing") }
        guard let usage = Self.usage.first(where: { $0.words.split(separator: " ")[0] == name })
        else {
            throw Invalid(message: "unknown command \"\(name)\"; see `plimsoll sim --help`")
        }
        guard words.count == usage.words.split(separator: " ").count else {
            throw Invalid(message: "usage: \(usage.words)")
        }
        return usage
    }

    /// Does what the words say. Returns lines to print.
    public func run(_ words: [String]) throws(Invalid) -> [String] {
        let usage = try Self.check(words)
        switch words[0] {
        case "pull":
            guard let size = Self.bytes(words[3]), size >= 0 else {
                throw Invalid(message: "\"\(words[3])\" is no size; try 212MB, 3.7GiB or 1000000")
            }
            return [try done(cluster.pull(words[1], image: words[2], sizeBytes: size), words[1])]
        case "remove":
            return [try done(cluster.remove(words[1], image: words[2]), words[1], words[2])]
        case "swap":
            return [
                try done(cluster.swap(words[1], image: words[2], for: words[3]), words[1], words[2])
            ]
        case "retag":
            return [
                try done(cluster.retag(words[1], image: words[2], to: words[3]), words[1], words[2])
            ]
        case "reorder": return [try done(cluster.reorder(words[1]), words[1])]
        case "lose-images": return [try done(cluster.loseImageList(words[1]), words[1])]
        case "heartbeats":
            guard let count = Int(words[1]), count > 0 else {
                throw Invalid(message: "\"\(words[1])\" is no positive number")
            }
            cluster.heartbeats(count)
            return ["\(count) heartbeats"]
        case "gc":
            guard let size = Self.bytes(words[2]) else {
                throw Invalid(message: "\"\(words[2])\" is no size")
            }
            guard cluster.node(words[1]) != nil else { throw missing(words[1]) }
            return ["\(cluster.collectGarbage(words[1], freeing: size)) images removed"]
        case "disk-pressure":
            guard ["on", "off"].contains(words[2]) else {
                throw Invalid(message: "disk-pressure is \"on\" or \"off\"")
            }
            return [try done(cluster.setDiskPressure(words[1], words[2] == "on"), words[1])]
        case "reboot": return [try done(cluster.reboot(words[1]), words[1])]
        case "cordon": return [try done(cluster.setUnschedulable(words[1], true), words[1])]
        case "uncordon": return [try done(cluster.setUnschedulable(words[1], false), words[1])]
        case "bloat":
            guard let size = Self.bytes(words[2]), (0...(64 << 20)).contains(size) else {
                throw Invalid(message: "\"\(words[2])\" is no size up to 64MiB")
            }
            let outcome = cluster.update(ObjectKey(namespace: "", name: words[1]), dryRun: false) {
                var node = $0
                var annotations = node["metadata", "annotations"] ?? [:]
                annotations["simulated/bloat"] = .string(String(repeating: "x", count: size))
                node["metadata", "annotations"] = annotations
                return .success(node)
            }
            guard outcome != nil else { throw missing(words[1]) }
            return ["\(words[1]) is \(size) bytes larger"]
        case "add-node":
            let node = cluster.addNode()
            return [try done(node, node.name)]
        case "delete-node": return [try done(cluster.deleteNode(words[1]), words[1])]
        case "replace-node": return [try done(cluster.replaceNode(words[1]), words[1])]
        case "compact":
            cluster.compact()
            objects.compact()
            return ["history forgotten, watches expired"]
        case "forget-history":
            cluster.forgetHistory()
            return ["history forgotten"]
        case "end":
            cluster.endWatches()
            return ["watches ended"]
        case "cut":
            cluster.cutWatches()
            objects.cutWatches()
            return ["connections cut"]
        case "go-away":
            goAway()
            return ["no further requests over these connections"]
        case "mute":
            cluster.muteWatches()
            return ["open watches hear nothing any more"]
        case "back-up":
            cluster.backUp()
            return ["kept as it is at resourceVersion \(cluster.resourceVersion)"]
        case "restore":
            guard cluster.restore() else { throw Invalid(message: "there is no backup") }
            return ["back at resourceVersion \(cluster.resourceVersion)"]
        case "fault":
            guard let target = Faults.Target(rawValue: words[1]), let fault = Faults.Fault(words[2])
            else { throw Invalid(message: "usage: \(usage.words): \(usage.meaning)") }
            faults.add(fault, to: target)
            return ["the next request goes wrong"]
        case "certificate":
            guard ["user", "server"].contains(words[1]) else {
                throw Invalid(message: "usage: \(usage.words): \(usage.meaning)")
            }
            let identity =
                words[1] == "user"
                ? try? authority.user(words[2], group: nil) : try? authority.server(words[2])
            guard let identity else {
                throw Invalid(message: "no certificate can be made for \(words[2])")
            }
            return (identity.certificate + identity.key).split(separator: "\n").map(String.init)
        default:
            return cluster.report().map { node, images in
                let shown = images.map { "\($0.bytes)\t\($0.count)" } ?? "unknown\tunknown"
                return "\(node.name)\t\(node.uid)\t\(node.resourceVersion)\t\(shown)"
            }
        }
    }

    private func done(
        _ node: SimulatedNode?, _ name: String, _ image: String? = nil
    ) throws(Invalid) -> String {
        guard let node else {
            if let image, cluster.node(name) != nil {
                throw Invalid(message: "node \(name) has no image named \(image)")
            }
            throw missing(name)
        }
        return "\(node.name) is now at resourceVersion \(node.resourceVersion)"
    }

    private func missing(_ name: String) -> Invalid {
        Invalid(message: "no node named \(name); `plimsoll sim nodes` lists them")
    }

    /// Bytes as "212MB", "3.7GiB" or "1000000"; nil where it is none.
    public static func bytes(_ text: String) -> Int? {
        let units: [(String, Double)] = [
            ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
            ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("Ki", 1024),
            ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("B", 1),
        ]
        if let plain = Int(text) { return plain }
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            guard let value = Double(text.dropLast(suffix.utf8.count)), value >= 0,
                value * factor < 9e18
            else { return nil }
            return Int(value * factor)
        }
        return nil
    }
}
