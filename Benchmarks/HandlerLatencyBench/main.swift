// How long a change takes from the read that brought its last byte to the handler: usage
// HandlerLatencyBench KUBECONFIG SECONDS. Prints one JSON line, times in microseconds.

import KubeClient
import NodeWatch
import Synchronization

let arguments = CommandLine.arguments
guard arguments.count == 3, let seconds = Double(arguments[2]) else {
    fatalError("usage: HandlerLatencyBench KUBECONFIG SECONDS")
}
let nodes = try SharedNodeInformer(client: KubeClient(try .load(.file(arguments[1]))))
let found = Mutex<[Double]>([])
nodes.addHandler { change in
    // Bytes are read a window apart, and dealt with long before the next come.
    guard case .updated = change, let latency = nodes.freshness.sinceLastByte else { return }
    found.withLock { $0.append(latency / .microseconds(1)) }
}
let running = Task { try await nodes.run() }
try await Task.sleep(for: .seconds(seconds))
running.cancel()
try? await running.value

let latencies = found.withLock { $0.sorted() }
func percentile(_ part: Double) -> Double {
    latencies.isEmpty ? 0 : latencies[min(latencies.count - 1, Int(Double(latencies.count) * part))]
}
print(
    "{\"changes\":\(latencies.count),\"p50\":\(percentile(0.5)),\"p99\":\(percentile(0.99)),"
        + "\"most\":\(latencies.last ?? 0)}")
