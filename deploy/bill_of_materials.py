"""Writes what a built program consists of as SPDX 2.3: the Swift packages that were linked into it, and the
libraries of the system that it needs.

usage: bill_of_materials.py VERSION SCRATCH_PATH PROGRAM
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

version, scratch, program = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
LICENSES = {
    "libcurl4": "curl", "libyajl2": "ISC", "libyaml-0-2": "MIT", "libsqlite3-0": "blessing",
    "libssl3": "Apache-2.0", "libc6": "LGPL-2.1-or-later",
}


def package(identifier, name, version, license, purl, **more):
    return {
        "SPDXID": f"SPDXRef-{re.sub('[^A-Za-z0-9.-]', '-', identifier)}", "name": name,
        "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": license, "copyrightText": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": purl}], **more}


def linked_packages():
    """Of those that were fetched, the ones whose modules were linked."""
    modules = set()
    for lists in scratch.glob("*/release/plimsoll.product/Objects.LinkFileList"):
        modules |= set(re.findall(r"/([^/]+)\.build/", lists.read_text()))
    pins = {p["identity"]: p for p in json.loads(
        pathlib.Path("Package.resolved").read_text())["pins"]}
    for identity, pin in sorted(pins.items()):
        folders = [p for p in (scratch / "checkouts").iterdir() if p.name.lower() == identity]
        sources = {d.name for f in folders for d in (f / "Sources").glob("*")}
        if sources & modules:
            location = pin["location"].removeprefix("https://").removesuffix(".git")
            yield package(
                f"swift-{identity}", identity, pin["state"]["version"], "Apache-2.0",
                f"pkg:swift/{location}@{pin['state']['version']}",
                sourceInfo=f"commit {pin['state']['revision']}")


def libraries():
    """The system's packages that the program's own libraries are of."""
    needed = re.findall(r"NEEDED +(\S+)", subprocess.run(
        ["objdump", "-p", program], check=True, capture_output=True, text=True).stdout)
    paths = dict(re.findall(r"(\S+) => (\S+)", subprocess.run(
        ["ldd", program], check=True, capture_output=True, text=True).stdout))
    seen = set()
    for library in needed:
        path = os.path.realpath(paths.get(library, f"/lib64/{library}"))
        # Debian's merged /usr: a package may know the file by its old name.
        for candidate in (path, path.removeprefix("/usr")):
            found = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True)
            if found.returncode == 0:
                break
        else:
            continue
        name = found.stdout.split(":")[0]
        if name in seen:
            continue
        seen.add(name)
        installed = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}\n", name], check=True, capture_output=True,
            text=True).stdout.split()[0]
        yield package(
            f"deb-{name}", name, installed, LICENSES.get(name, "NOASSERTION"),
            f"pkg:deb/debian/{name}@{installed.replace(':', '%3A')}?distro=bookworm")


digest = hashlib.sha256(program.read_bytes()).hexdigest()
own = package(
    "plimsoll", "plimsoll", version, "Apache-2.0", f"pkg:generic/plimsoll@{version}",
    checksums=[{"algorithm": "SHA256", "checksumValue": digest}])
parts = list(linked_packages())
needs = list(libraries())
created = datetime.datetime.fromtimestamp(
    int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
relationships = [("SPDXRef-DOCUMENT", "DESCRIBES", own)]
relationships += [(own["SPDXID"], "STATIC_LINK", part) for part in parts]
relationships += [(own["SPDXID"], "DYNAMIC_LINK", part) for part in needs]
print(json.dumps({
    "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
    "name": f"plimsoll-{version}", "documentNamespace": f"https://plimsoll.dev/spdx/{version}/{digest}",
    "creationInfo": {
        "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: plimsoll-dist"]},
    "packages": [own] + parts + needs,
    "relationships": [
        {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other["SPDXID"]}
        for one, kind, other in relationships],
}, indent=1))
