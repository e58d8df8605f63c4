"""Usage: ask.py QUERY.graphql [URL]: sends the query, with the variables beside it if there are any, and prints the answer."""

import json
import pathlib
import sys
import urllib.error
import urllib.request


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    query = pathlib.Path(sys.argv[1])
    url = sys.argv[2] if len(sys.argv) == 3 else "http://127.0.0.1:8080/graphql"
    beside = query.with_suffix(".variables.json")
    variables = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
    body = json.dumps({"query": query.read_text(encoding="utf-8"), "variables": variables}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            print(json.dumps(json.load(answer), indent=2, ensure_ascii=False))
    except urllib.error.URLError as error:
        sys.exit(f"{url}: {error}")


main()
