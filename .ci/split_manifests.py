"""Splits manifests for the tools that check them: own.yaml has Kubernetes' own kinds, rules-N.yaml what
Prometheus evaluates: the rules of a PrometheusRule, and a dashboard's queries as rules.

usage: split_manifests.py MANIFESTS FOLDER
"""

import json
import pathlib
import re
import sys

import yaml

folder = pathlib.Path(sys.argv[2])
for old in folder.glob("rules-*.yaml"):
    old.unlink()
documents = [d for d in yaml.safe_load_all(pathlib.Path(sys.argv[1]).read_text()) if d]
own = [d for d in documents if "monitoring.coreos.com" not in d["apiVersion"]]
(folder / "own.yaml").write_text(yaml.safe_dump_all(own))
specs = [d["spec"] for d in documents if d["kind"] == "PrometheusRule"]
for config in (d for d in documents if d["kind"] == "ConfigMap"):
    for text in (text for name, text in config["data"].items() if name.endswith(".json")):
        board = json.loads(text)
        queries = [t["expr"] for panel in board["panels"] for t in panel["targets"]]
        queries += [a["expr"] for a in board["annotations"]["list"]]
        # Grafana's variables stand for these.
        queries = [re.sub(r"\$__(rate_)?interval", "5m", q) for q in queries]
        specs.append({"groups": [{"name": "dashboard", "rules": [
            {"record": f"dashboard:query{number}", "expr": query}
            for number, query in enumerate(queries)]}]})
for number, spec in enumerate(specs):
    (folder / f"rules-{number}.yaml").write_text(yaml.safe_dump(spec))
