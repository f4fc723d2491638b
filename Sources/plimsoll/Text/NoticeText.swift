import KubeClient
import NodeWatch

extension WatchNotice.Sync {
    /// How the list was asked for: "streaming list".
    var way: String {
        switch kind {
        case .watchList: "streaming list"
        case .list: "list"
        case .pagedList: "paged list"
        case .checkpoint: "from the checkpoint on"
        }
    }

    /// "5,000 nodes in 1.2 s (streaming list, protobuf, 63 MB)".
    var text: String {
        let nodes = "\(NumberText.grouped(objects)) node\(objects == 1 ? "" : "s")"
        let cost = "(\(way), \(wireFormat.name), \(NumberText.bytes(bytes)))"
        return "\(nodes) in \(NumberText.seconds(duration)) \(cost)"
    }
}

extension WatchNotice {
    /// What is said of it; nil where nothing is, or more has to be known for it.
    var text: String? {
        switch self {
        case .synced(let sync): (sync.isRelist ? "listed again: " : "") + sync.text
        case .resumed(let outage): "resumed after \(NumberText.seconds(outage)), nothing missed"
        case .rejected(let node, let reason):
            "left out an object\(node.isEmpty ? "" : " of node \(node)"): \(reason); "
                + "its last good state stays"
        case .checkpoint(let notice): notice.text
        case .listing, .problem, .handlerFailed: nil
        }
    }
}

extension NodeCheckpoint.Notice {
    var text: String {
        switch self {
        case .found(let nodes, let version, let date):
            "checkpoint of \(date): \(NumberText.grouped(nodes)) "
                + "node\(nodes == 1 ? "" : "s") at resourceVersion \(version)"
        case .setAside(let reason, let path):
            "the checkpoint is not used: \(reason). It is now \(path)"
        case .failed(let error): "checkpoint: \(error.message)"
        }
    }
}
