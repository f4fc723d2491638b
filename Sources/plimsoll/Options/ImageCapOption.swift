import ArgumentParser
import ImageAlerts

/// How many images the kubelets list.
struct ImageCapOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The kubelets' nodeStatusMaxImages: at most so many images are listed; -1: no limit. "
                + "Without this, 50 until a node of the pool lists more.", valueName: "count"))
    var nodeStatusMaxImages: Int?

    func validate() throws {
        if let count = nodeStatusMaxImages, count < -1 || count == 0 {
            throw ValidationError("--node-status-max-images must be -1 or at least 1.")
        }
    }

    var cap: ImageChangeDetector.Cap {
        guard let count = nodeStatusMaxImages else { return .assumed }
        return count == -1 ? .none : .images(count)
    }
}
