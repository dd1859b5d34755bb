"""Stands in for the program that makes the manifest: says what it was told, and finds some components broken."""

import argparse
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--components", type=Path, required=True)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    options = parser.parse_args()
    if "broken" in options.components.name:
        sys.stderr.write(f"{options.components.name}: line 1: it is broken\n")
        sys.exit(2)
    agent = {"id": "toy", "quick_prompts": ["what's up?"]}
    document = {"agents": [agent], "teams": [], "workflows": [], "replaced_databases": []}
    if "database" in options.components.name:
        document["replaced_databases"].append("The agent 'toy' runs on the bundle's own database")
    options.output.write_text(json.dumps(document))
