/// The objects of one type, in one namespace where they have one. Thread-safe.
///
/// Every call waits for its turn within the client's ``RequestRate``, and asks again where the server
/// asks for that (Retry-After). All throw ``KubeError``: `refused` with the server's Status where it
/// said no.
public struct ResourceClient: Sendable {
    /// The type.
    public let type: ResourceType
    /// "" for all namespaces, and where there are none.
    public let namespace: String
    private let client: KubeClient

    init(_ client: KubeClient, _ type: ResourceType, _ namespace: String) {
        self.client = client
        self.type = type
        self.namespace = namespace
    }

    // MARK: Reading

    /// One object.
    public func get(_ name: String) async throws(KubeError) -> KubeObject {
        KubeObject(try await send("GET", name, verb: "get"))
    }

    /// Which objects to list.
    public struct ListOptions: Sendable, Hashable {
        /// "pool=gpu,zone in (a,b)".
        public var labelSelector = ""
        /// "metadata.name=x".
        public var fieldSelector = ""
        /// At most so many; 0: all.
        public var limit = 0
        /// The token of the page before.
        public var continueToken: String?
        /// "0": from the server's cache; "": the latest; else not older than that.
        public var resourceVersion = ""

        /// All objects.
        public init() {}
    }

    /// A page of objects. The whole answer is held in memory, 16 MiB of it at most: for many nodes
    /// use an informer.
    public func list(
        _ options: ListOptions = ListOptions()
    ) async throws(KubeError) -> KubeObjectList {
        var query: [(String, String)] = []
        if !options.labelSelector.isEmpty {
            query.append(("labelSelector", options.labelSelector))
        }
        if !options.fieldSelector.isEmpty {
            query.append(("fieldSelector", options.fieldSelector))
        }
        if options.limit > 0 { query.append(("limit", "\(options.limit)")) }
        if let token = options.continueToken {
            // With a token the server forbids any version.
            query.append(("continue", token))
        } else if !options.resourceVersion.isEmpty {
            query.append(("resourceVersion", options.resourceVersion))
            if options.resourceVersion != "0" {
                query.append(("resourceVersionMatch", "NotOlderThan"))
            }
        }
        let json = try await send("GET", nil, verb: "list", query)
        guard let items = json["items"]?.array else {
            throw KubeError(
                .malformed,
                "the list of \(type.qualifiedName) has no items, but is a "
                    + (json["kind"]?.string ?? "nameless thing"))
        }
        let token = json["metadata", "continue"]?.string ?? ""
        return KubeObjectList(
            items: items.map { item in
                // In lists these go without saying.
                var item = item
                item["apiVersion"] = item["apiVersion"] ?? .string(type.apiVersion)
                item["kind"] = item["kind"] ?? .string(type.kind)
                return KubeObject(item)
            }, resourceVersion: json["metadata", "resourceVersion"]?.string ?? "",
            continueToken: token.isEmpty ? nil : token,
            remainingItemCount: json["metadata", "remainingItemCount"]?.int)
    }

    /// All objects, page by page, at one resourceVersion. When a page comes too late for that
    /// (410), all again.
    ///
    /// - Parameters:
    ///   - options: What to list; its token and limit are not used.
    ///   - pageSize: Objects a page.
    public func listAll(
        _ options: ListOptions = ListOptions(), pageSize: Int = 500
    ) async throws(KubeError) -> KubeObjectList {
        var restarts = 0
        var all = KubeObjectList(items: [], resourceVersion: "")
        var options = options
        options.limit = pageSize
        options.continueToken = nil
        while true {
            do throws(KubeError) {
                let page = try await list(options)
                all.items += page.items
                all.resourceVersion = page.resourceVersion
                guard let token = page.continueToken else { return all }
                options.continueToken = token
            } catch {
                guard error.httpStatus == 410, restarts < 3 else { throw error }
                restarts += 1
                all.items = []
                options.continueToken = nil
            }
        }
    }

    // MARK: Writing

    /// How to write.
    public struct WriteOptions: Sendable, Hashable {
        /// The server does all but keep the result.
        public var isDryRun = false
        /// Who owns the fields that are written.
        public var fieldManager = "plimsoll"

        /// To write for good.
        public init(isDryRun: Bool = false, fieldManager: String = "plimsoll") {
            self.isDryRun = isDryRun
            self.fieldManager = fieldManager
        }

        fileprivate var query: [(String, String)] {
            var query = [("fieldManager", fieldManager)]
            if isDryRun { query.append(("dryRun", "All")) }
            return query
        }
    }

    /// Adds an object. Returns it as the server keeps it.
    @discardableResult
    public func create(
        _ object: KubeObject, _ options: WriteOptions = WriteOptions()
    ) async throws(KubeError) -> KubeObject {
        KubeObject(try await send("POST", nil, verb: "create", options.query, object.json))
    }

    /// Puts an object in the place of the one whose resourceVersion it carries. Refused with 409
    /// where that has changed meanwhile.
    @discardableResult
    public func replace(
        _ object: KubeObject, _ options: WriteOptions = WriteOptions(), subresource: String? = nil
    ) async throws(KubeError) -> KubeObject {
        KubeObject(
            try await send(
                "PUT", object.name, verb: "update", options.query, object.json,
                subresource: subresource))
    }

    /// Reads an object, changes it and puts it back; where another was faster, all again from a fresh
    /// read. `change` may run several times and must not keep count.
    ///
    /// - Parameters:
    ///   - name: Which object.
    ///   - options: How to write.
    ///   - subresource: "status", to write that part alone.
    ///   - attempts: After so many conflicts the last one is thrown; more than there are writers.
    ///   - change: Changes the object.
    @discardableResult
    public func update(
        _ name: String, _ options: WriteOptions = WriteOptions(), subresource: String? = nil,
        attempts: Int = 30,
        _ change: @Sendable (inout KubeObject) throws(KubeError) -> Void
    ) async throws(KubeError) -> KubeObject {
        var attempt = 1
        while true {
            var object = try await get(name)
            let before = object
            try change(&object)
            if object == before { return object }
            do throws(KubeError) {
                return try await replace(object, options, subresource: subresource)
            } catch {
                guard error.isConflict, attempt < attempts else { throw error }
                await Self.pause(after: attempt)
                attempt += 1
            }
        }
    }

    /// Writers that met once would meet again: each waits for a time of its own.
    private static func pause(after attempt: Int) async {
        let longest = min(10 << min(attempt, 6), 500)
        try? await Task.sleep(for: .milliseconds(Int.random(in: 1...longest)))
    }

    /// A JSON merge patch (RFC 7386): members replace members, null removes.
    @discardableResult
    public func patch(
        _ name: String, merge patch: JSONValue, _ options: WriteOptions = WriteOptions(),
        subresource: String? = nil
    ) async throws(KubeError) -> KubeObject {
        KubeObject(
            try await send(
                "PATCH", name, verb: "patch", options.query, patch, subresource: subresource,
                contentType: "application/merge-patch+json"))
    }

    /// Server-side apply: the object says what its manager wants, and no more
    /// (https://kubernetes.io/docs/reference/using-api/server-side-apply/). Where another manager
    /// owns a field with another value it is refused with 409, unless forced.
    @discardableResult
    public func apply(
        _ object: KubeObject, _ options: WriteOptions = WriteOptions(), isForced: Bool = false
    ) async throws(KubeError) -> KubeObject {
        KubeObject(
            try await send(
                "PATCH", object.name, verb: "patch",
                options.query + (isForced ? [("force", "true")] : []), object.json,
                contentType: "application/apply-patch+yaml"))
    }

    /// How to delete.
    public struct DeleteOptions: Sendable, Hashable {
        /// Seconds that pods get to end; nil: their own. The API server accepts it for a node, where
        /// it has no effect: a node's object goes at once.
        public var gracePeriodSeconds: Int?
        /// Only this very object; not another of its name.
        public var uid: String?
        /// Only this version of it.
        public var resourceVersion: String?
        /// The server does all but delete.
        public var isDryRun = false

        /// To delete for good.
        public init() {}
    }

    /// Deletes an object.
    public func delete(
        _ name: String, _ options: DeleteOptions = DeleteOptions()
    ) async throws(KubeError) {
        var body: JSONValue = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let seconds = options.gracePeriodSeconds {
            body["gracePeriodSeconds"] = .integer(Int64(seconds))
        }
        if let uid = options.uid { body["preconditions", "uid"] = .string(uid) }
        if let version = options.resourceVersion {
            body["preconditions", "resourceVersion"] = .string(version)
        }
        // In the body and nowhere else: beside a body the server ignores the parameter, and deletes.
        if options.isDryRun { body["dryRun"] = ["All"] }
        _ = try await send("DELETE", name, verb: "delete", [], body)
    }

    // MARK: Insides

    private func send(
        _ method: String, _ name: String?, verb: String, _ query: [(String, String)] = [],
        _ body: JSONValue? = nil, subresource: String? = nil,
        contentType: String = "application/json"
    ) async throws(KubeError) -> JSONValue {
        let path = type.path(namespace: namespace, name: name, subresource: subresource)
        let object = name.map { "\(type.kind.lowercased()) \($0)" } ?? type.qualifiedName
        let resource = type.qualifiedName + (subresource.map { "/\($0)" } ?? "")
        let answer = try await client.sender.send(
            KubeRequest(
                method: method, target: path + PercentEncoding.query(query),
                body: body?.bytes ?? [], contentType: contentType, purpose: "\(verb) \(object)",
                permission: "verb \(verb) on \(resource)"), with: client)
        return try JSONValue(parsing: answer)
    }
}

extension KubeClient {
    /// The objects of a type.
    ///
    /// - Parameters:
    ///   - type: Which.
    ///   - namespace: Where; "" for all, and for types without namespaces.
    public func resources(_ type: ResourceType, in namespace: String = "") -> ResourceClient {
        ResourceClient(self, type, namespace)
    }

    /// The nodes, one by one. For all of them, use an informer.
    public var nodes: ResourceClient { resources(.nodes) }
}

extension KubeError {
    /// Whether another writer was faster (409 Conflict).
    public var isConflict: Bool { status?.reason == "Conflict" && httpStatus == 409 }

    /// Whether there is no such object (404).
    public var isNotFound: Bool { httpStatus == 404 }
}
