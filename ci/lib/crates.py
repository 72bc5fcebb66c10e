#!/usr/bin/env python3
"""Prints the packages that would be published, one a line: NAME KIND [FEATURE]..., where KIND is `lib` or `bin`.

So that no script has a list of its own: what a new crate has to pass, it has to pass from its first commit.
"""
import json
import subprocess

metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version", "1"]))
for package in sorted(metadata["packages"], key=lambda package: package["name"]):
    if package["publish"] != []:
        kinds = {kind for target in package["targets"] for kind in target["kind"]}
        print(package["name"], "lib" if kinds & {"lib", "proc-macro"} else "bin",
              *sorted(name for name in package["features"] if name != "default"))
