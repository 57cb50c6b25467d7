"""python3 ask.py "When am I charged?"

With the standard library alone. Ctrl-C stops the answer, which is refunded.
"""

import json
import os
import sys
import urllib.error
import urllib.request

URL = os.environ.get("BELAY_URL", "http://127.0.0.1:8787")
NEEDED = "Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)"
TOKEN = os.environ.get("BELAY_TOKEN") or sys.exit(NEEDED)


def ask(query):
    """Yields the events of an answer, from `start` to `done`."""
    request = urllib.request.Request(
        URL + "/api/v1/ai/ask?stream=true",
        data=json.dumps({"query": query}).encode(),
        headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"},
    )
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as refusal:
        # A refusal is a stream too. Its only event is the error.
        response = refusal
    with response:
        for line in response:
            if line.startswith(b"data: "):
                event = json.loads(line[len(b"data: ") :])
                if event["type"] == "error":
                    raise RuntimeError(event["message"])
                yield event
                if event["type"] == "done":
                    return
    raise RuntimeError("The connection broke, or the address is not Belay's.")


def main():
    query = sys.argv[1] if len(sys.argv) > 1 else "When am I charged?"
    for event in ask(query):
        if event["type"] == "token":
            print(event["token"], end="", flush=True)
        elif event["type"] == "done":
            print("\n")
            for source in event["sources"]:
                print(f"[{source['n']}] {source['title']} {source['url'] or ''}")
            print(event["quotaRemaining"], "answers left")


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, OSError) as error:
        is_lost = isinstance(error, OSError)
        sys.exit(f"{error}. Does a server run at {URL}?" if is_lost else str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
