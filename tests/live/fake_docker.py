#!/usr/bin/env python3
"""A docker for tests without its daemon: which name which image has, in one file.

    FAKE_IMAGES=file.json docker tag web:1 web:2"""
import json, os, sys

FILE = os.environ["FAKE_IMAGES"]


def fail(words):
    sys.stderr.write(words + "\n")
    sys.exit(1)


def main(words):
    images = json.load(open(FILE))
    ids = {**images["names"], **{one: one for one in images["ids"]}}  # an image stays, whether it has a name or not
    if words[:2] == ["image", "inspect"]:
        return print(ids.get(words[-1]) or fail(f"Error response from daemon: No such image: {words[-1]}"))
    if words[0] == "version":
        return print(json.dumps({"Client": {"Version": "27.0"}, "Server": {"Version": "27.0"}}))
    if words[0] == "tag":
        images["names"][words[2]] = ids.get(words[1]) or fail(f"Error response from daemon: No such image: {words[1]}")
    elif words[:2] == ["image", "rm"]:
        images["names"].pop(words[-1], None) or fail(f"Error response from daemon: No such image: {words[-1]}")
    else:
        fail(f"fake docker: no {words}")
    json.dump(images, open(FILE, "w"))


main(sys.argv[1:])
