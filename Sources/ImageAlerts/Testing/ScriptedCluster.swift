import FoundationEssentials
import KubeClient
import NodeWatch

/// Nodes that live by a script: what each command of it changes.
struct ScriptedCluster {
    /// Every command with its arguments and what it does.
    static let commands: [(words: String, meaning: String)] = [
        (
            "node NAME [KEY=VALUE…] [IMAGE=SIZE…]",
            "a node is there: pool, zone, capacity, runtime (containerd, cri-o), age (how old it is), and images"
        ),
        ("label NODE KEY=VALUE", "it has a label"),
        ("pull NODE IMAGE SIZE", "an image comes"),
        ("remove NODE IMAGE…", "images go, in one update"),
        ("replace NODE IMAGE WITH SIZE", "another image takes an image's place"),
        ("lose-images NODE", "the list is missing"),
        ("find-images NODE", "the list is back"),
        ("disk-pressure NODE on|off", "the condition changes"),
        ("reboot NODE", "it has another bootID"),
        ("recreate NODE", "it is deleted, and another of its name comes without images"),
        ("delete NODE", "it is gone"),
        ("image-fs NODE USED AVAILABLE", "its kubelet says what the images' filesystem has"),
        ("silent NODE", "nothing is heard of it from now on"),
        ("heard NODE", "it sends a heartbeat"),
        ("stream silent|heard", "the server says nothing from now on; it speaks again"),
        ("end", "nothing; time passes until then"),
    ]

    struct Node {
        var contents: NodeSummary.Contents
        var images: [ContainerImage]
        var isListed = true
        /// Since when nothing was heard of it.
        var silentSince: Date?

        var summary: NodeSummary {
            var contents = contents
            contents.images = isListed ? images : nil
            return NodeSummary(contents)
        }
    }

    /// What the engine is told of a command.
    enum News {
        case change(NodeChange)
        case reading(ImageFileSystem, of: String)
    }

    private(set) var nodes: [String: Node] = [:]
    private(set) var streamSilentSince: Date?
    private var version = 100

    /// Does what the words of a line say.
    mutating func run(_ words: [String], _ time: Date) throws(Fault) -> [News] {
        let arguments = Array(words.dropFirst())
        switch (words[0], arguments.count) {
        case ("node", 1...): return [try add(arguments, time)]
        case ("label", 2):
            let parts = arguments[1].split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Fault(message: usage(words[0])) }
            return [try update(arguments[0]) { $0.contents.furtherLabels[parts[0]] = parts[1] }]
        case ("pull", 3):
            let image = Self.image(arguments[1], try size(arguments[2]))
            return [try update(arguments[0]) { $0.images.append(image) }]
        case ("remove", 2...):
            for name in arguments.dropFirst() { try check(arguments[0], has: name) }
            return [
                try update(arguments[0]) { node in
                    node.images.removeAll { image in
                        arguments.dropFirst().contains { image.names.contains($0) }
                    }
                }
            ]
        case ("replace", 4):
            try check(arguments[0], has: arguments[1])
            let image = Self.image(arguments[2], try size(arguments[3]))
            return [
                try update(arguments[0]) { node in
                    node.images.removeAll { $0.names.contains(arguments[1]) }
                    node.images.append(image)
                }
            ]
        case ("lose-images", 1): return [try update(arguments[0]) { $0.isListed = false }]
        case ("find-images", 1): return [try update(arguments[0]) { $0.isListed = true }]
        case ("disk-pressure", 2) where ["on", "off"].contains(arguments[1]):
            let condition = arguments[1] == "on" ? NodeCondition.isTrue : .isFalse
            return [try update(arguments[0]) { $0.contents.diskPressure = condition }]
        case ("reboot", 1):
            let boot = "boot-\(version)"
            return [try update(arguments[0]) { $0.contents.bootID = boot }]
        case ("recreate", 1):
            let old = try node(arguments[0])
            let deletion = try delete(arguments[0])
            var node = old
            node.contents.uid += "+"
            node.contents.creationTimestamp = Date.ISO8601FormatStyle().format(time)
            node.images = []
            return [deletion, insert(node)]
        case ("delete", 1): return [try delete(arguments[0])]
        case ("image-fs", 3):
            let used = try size(arguments[1])
            let free = try size(arguments[2])
            _ = try node(arguments[0])
            return [
                .reading(
                    ImageFileSystem(
                        usedBytes: used, capacityBytes: used + free, availableBytes: free,
                        time: Date.ISO8601FormatStyle().format(time)), of: arguments[0])
            ]
        case ("silent", 1), ("heard", 1):
            _ = try node(arguments[0])
            nodes[arguments[0]]?.silentSince = words[0] == "silent" ? time : nil
            return []
        case ("stream", 1) where ["silent", "heard"].contains(arguments[0]):
            streamSilentSince = arguments[0] == "silent" ? time : nil
            return []
        case ("end", 0): return []
        default: throw Fault(message: usage(words[0]))
        }
    }

    /// What is wrong with a line.
    struct Fault: Error {
        var message: String
    }

    /// Who has been silent for so long.
    func silentNodes(
        _ limit: Duration, _ time: Date
    ) -> [(node: NodeSummary, silence: Duration)] {
        nodes.values.compactMap { node in
            guard let since = node.silentSince else { return nil }
            let silence = Duration.seconds(time.timeIntervalSince(since))
            return silence >= limit ? (node.summary, silence) : nil
        }
    }

    // MARK: Parts

    private func usage(_ word: String) -> String {
        let names = Self.commands.map { String($0.words.prefix { $0 != " " }) }
        guard let index = names.firstIndex(of: word) else {
            return "there is no command \"\(word)\"" + Suggestion.text(for: word, among: names)
        }
        return "usage: \(Self.commands[index].words)"
    }

    private func node(_ name: String) throws(Fault) -> Node {
        guard let node = nodes[name] else {
            throw Fault(message: "there is no node \"\(name)\"; \"node \(name)\" makes one")
        }
        return node
    }

    private func check(_ name: String, has image: String) throws(Fault) {
        guard try node(name).images.contains(where: { $0.names.contains(image) }) else {
            throw Fault(message: "node \(name) has no image \(image)")
        }
    }

    private func size(_ text: String) throws(Fault) -> Int {
        guard let bytes = ByteText.parse(text) else {
            throw Fault(message: "\"\(text)\" is no \(RuleFields.bytesText)")
        }
        return bytes
    }

    private mutating func add(_ arguments: [String], _ time: Date) throws(Fault) -> News {
        var contents = NodeSummary.Contents(name: arguments[0], uid: "uid-\(arguments[0])")
        contents.bootID = "boot"
        contents.containerRuntimeVersion = "containerd://2.1.5"
        contents.capacityBytes = 100 << 30
        contents.diskPressure = .isFalse
        contents.ready = .isTrue
        var age = Duration.seconds(86400)
        var images: [ContainerImage] = []
        for argument in arguments.dropFirst() {
            guard let equals = argument.firstIndex(of: "=") else {
                throw Fault(message: "\"\(argument)\" is neither KEY=VALUE nor IMAGE=SIZE")
            }
            let value = String(argument[argument.index(after: equals)...])
            switch argument[..<equals] {
            case "pool": contents.pool = value
            case "zone": contents.zone = value
            case "capacity": contents.capacityBytes = try size(value)
            case "runtime": contents.containerRuntimeVersion = value + "://1"
            case "age":
                guard let duration = DurationText.parse(value) else {
                    throw Fault(message: "\"\(value)\" is no \(RuleFields.durationText)")
                }
                age = duration
            case let name: images.append(Self.image(String(name), try size(value)))
            }
        }
        // Every node has that.
        if images.isEmpty { images = [Self.image("registry.k8s.io/pause:3.10", 320_000)] }
        contents.creationTimestamp = Date.ISO8601FormatStyle().format(
            time.addingTimeInterval(-(age / .seconds(1))))
        return insert(Node(contents: contents, images: images))
    }

    private mutating func insert(_ node: Node) -> News {
        var node = node
        version += 1
        node.contents.resourceVersion = "\(version)"
        nodes[node.contents.name] = node
        return .change(.added(node.summary, isInInitialList: false))
    }

    private mutating func delete(_ name: String) throws(Fault) -> News {
        let old = try node(name)
        nodes[name] = nil
        return .change(.deleted(old.summary))
    }

    private mutating func update(
        _ name: String, _ change: (inout Node) -> Void
    ) throws(Fault) -> News {
        let old = try node(name)
        var new = old
        change(&new)
        version += 1
        new.contents.resourceVersion = "\(version)"
        new.images.sort {
            ($0.sizeBytes, $0.displayName) > ($1.sizeBytes, $1.displayName)
        }
        nodes[name] = new
        return .change(.updated(old: old.summary, new: new.summary))
    }

    /// With a digest of its own, as a kubelet lists an image that was pulled by tag.
    private static func image(_ name: String, _ size: Int) -> ContainerImage {
        let reference = ImageReference(name)
        if reference.digest != nil { return ContainerImage(names: [name], sizeBytes: size) }
        var hash = FNV1a()
        hash.add(name)
        hash.add("\(size)")
        let digits = String(hash.value, radix: 16)
        let digest = String(repeating: "0", count: 64 - digits.utf8.count) + digits
        return ContainerImage(
            names: ["\(reference.repository)@sha256:\(digest)", name], sizeBytes: size)
    }
}
