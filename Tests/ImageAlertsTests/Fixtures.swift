import Foundation
import ImageAlerts
import NodeWatch

func image(_ size: Int, _ names: String...) -> ContainerImage {
    ContainerImage(names: names, sizeBytes: size)
}

func node(
    _ images: [ContainerImage]?, uid: String = "u", version: Int = 1, pool: String? = nil
) -> NodeSummary {
    var contents = NodeSummary.Contents(
        name: "n", uid: uid, resourceVersion: "\(version)", images: images)
    contents.pool = pool
    contents.containerRuntimeVersion = "containerd://2.1"
    return NodeSummary(contents)
}

let start = Date(timeIntervalSince1970: 1_790_000_000)

/// What a detector says of a node whose lists follow one another.
func changes(
    _ lists: [[ContainerImage]?], cap: ImageListCap.Setting = .assumed
) -> [ImageChange?] {
    var options = ImageChangeDetector.Options()
    options.cap = cap
    var detector = ImageChangeDetector(options)
    let nodes = lists.enumerated().map { node($1, version: $0 + 1) }
    var result = [detector.observe(.added(nodes[0], isInInitialList: true), at: start)]
    for (old, new) in zip(nodes, nodes.dropFirst()) {
        result.append(detector.observe(.updated(old: old, new: new), at: start))
    }
    return Array(result.dropFirst())
}

/// A change in a few words: "+a -b".
func words(_ change: ImageChange?) -> String {
    guard let change else { return "none" }
    let parts =
        change.added.map { "+\($0.displayName)" } + change.removed.map { "-\($0.displayName)" }
    return (parts + [change.classification.rawValue]).joined(separator: " ")
}
