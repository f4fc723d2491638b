import FoundationEssentials
import KubeClient
import NodeWatch

/// Keeps nginx's configuration in step with the cluster's Ingresses and Services, and the Ingresses'
/// status with where nginx is found.
struct Controller: Sendable {
    /// What there is to do.
    enum Work: Hashable, Sendable {
        /// The file, which is about all Ingresses at once.
        case configuration
        /// One Ingress' status.
        case status(namespace: String, name: String)
    }

    let client: KubeClient
    /// nginx's file.
    let file: String
    /// What nginx listens on: "80".
    let listen: String
    /// Where clients find nginx.
    let address: String

    func run() async throws {
        let ingresses = try Informer<Ingress>(client: client, Ingress.type, onNotice: tell)
        let services = try Informer<Service>(client: client, Service.type, onNotice: tell)
        let queue = WorkQueue<Work>()

        // Handlers say what may have to be done, and do nothing: what it is, the work finds out.
        let first = ingresses.addHandler { change in
            let ingress = change.object
            queue.add(.configuration)
            queue.add(.status(namespace: ingress.namespace, name: ingress.name))
        }
        let second = services.addHandler { _ in queue.add(.configuration) }

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ingresses.run() }
            group.addTask { try await services.run() }
            group.addTask {
                // A file made of half of what there is would cut off the other half.
                guard await first.synced(), await second.synced() else { return }
                queue.add(.configuration)
                await queue.run(workers: 2, onError: report) { work in
                    switch work {
                    case .configuration: try write(ingresses.store, services.store)
                    case .status(let namespace, let name):
                        try await publish(namespace, name, ingresses.store)
                    }
                }
            }
            // The first that ends, ends all.
            try await group.next()
            group.cancelAll()
        }
    }

    /// Writes the file anew where it differs, whole or not at all.
    private func write(_ ingresses: ResourceStore<Ingress>, _ services: ResourceStore<Service>)
        throws
    {
        let text = NginxConfiguration.text(ingresses.objects, listen: listen) { services[$0] }
        let bytes = Data(text.utf8)
        let old = try? Data(contentsOf: URL(filePath: file))
        if old == bytes { return }
        try bytes.write(to: URL(filePath: file), options: .atomic)
        say("wrote \(file): \(ingresses.count) ingresses")
    }

    /// Writes the address into an Ingress' status, unless it stands there.
    private func publish(
        _ namespace: String, _ name: String, _ ingresses: ResourceStore<Ingress>
    ) async throws {
        guard let ingress = ingresses["\(namespace)/\(name)"], ingress.addresses != [address]
        else { return }
        let value: JSONValue = [["ip": .string(address)]]
        do throws(KubeError) {
            try await client.resources(Ingress.type, in: namespace).update(
                name, subresource: "status"
            ) { object throws(KubeError) in
                object.json["status", "loadBalancer", "ingress"] = value
            }
            say("published \(address) for \(ingress.key)")
        } catch {
            // Gone meanwhile: its deletion is on its way.
            guard error.isNotFound else { throw error }
        }
    }

    @Sendable private func tell(_ notice: WatchNotice) {
        switch notice {
        case .problem(let error, let delay, _): say("\(error); trying again in \(delay)")
        case .rejected(let name, let reason): say("left out \(name): \(reason)")
        default: break
        }
    }

    @Sendable private func report(_ work: Work, _ error: any Error, _ failures: Int) {
        say("\(work) failed \(failures) times: \(error)")
    }
}
