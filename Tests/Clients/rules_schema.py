"""Holds the schema of rule files against rules that are sound, and against some that are not.

usage: rules_schema.py SCHEMA EXAMPLE RULES_PAGE BAD_FOLDER
"""

import json
import pathlib
import re
import sys

import jsonschema
import yaml

# What a schema cannot say, or does not see: the text's own form, names that differ, one bound beside another.
ONLY_OURS = {
    "anchor", "same-name", "key-twice", "clear-above", "clear-other-kind", "churn-nothing",
    "images-missing", "spread-both", "spread-neither", "nodes-bad-selector",
    "nodes-too-many-labels", "versions-of-one", "labels-bad-name", "zero-window",
}


def main(schema_path, example, page, bad_folder):
    schema = json.loads(pathlib.Path(schema_path).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    problems = []
    good = [yaml.safe_load(pathlib.Path(example).read_text())]
    for text in re.findall(r"```yaml\n(.*?)```", pathlib.Path(page).read_text(), re.S):
        good.append({"rules": yaml.safe_load(text)["rules"]})
    for name in ("sinks.md", "service.md"):
        text = (pathlib.Path(page).parent / name).read_text()
        for block in re.findall(r"```yaml\n(.*?)```", text, re.S):
            good.append(yaml.load(block, yaml.BaseLoader))
    for document in good:
        for error in validator.iter_errors(document):
            problems.append(f"sound, but refused: {document}: {error.message}")
    for path in sorted(pathlib.Path(bad_folder).glob("*.yaml")):
        if path.stem in ONLY_OURS:
            continue
        try:
            document = yaml.safe_load(path.read_text())
        except yaml.YAMLError:
            continue
        if validator.is_valid(document):
            problems.append(f"not sound, but taken: {path.name}")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main(*sys.argv[1:]))
