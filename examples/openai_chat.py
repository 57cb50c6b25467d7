"""python3 openai_chat.py "When am I charged?"

The package `openai`, unchanged: only the address and the key are Belay's.
Ctrl-C stops the answer, which is then refunded.
"""

import os
import sys

import openai

URL = os.environ.get("BELAY_URL", "http://127.0.0.1:8787")
NEEDED = "Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)"
TOKEN = os.environ.get("BELAY_TOKEN") or sys.exit(NEEDED)
client = openai.OpenAI(base_url=URL + "/v1", api_key=TOKEN)


def main():
    query = sys.argv[1] if len(sys.argv) > 1 else "When am I charged?"
    stream = client.chat.completions.create(
        model="belay", messages=[{"role": "user", "content": query}], stream=True
    )
    belay = {}
    with stream:
        for chunk in stream:
            for choice in chunk.choices:
                print(choice.delta.content or "", end="", flush=True)
            # Sources, quota and the query's id, beside what OpenAI sends.
            belay |= (chunk.model_extra or {}).get("belay") or {}
    print("\n")
    for source in belay["sources"]:
        print(f"[{source['n']}] {source['title']} {source['url'] or ''}")
    print(belay["quotaRemaining"], "answers left")


if __name__ == "__main__":
    try:
        main()
    except openai.APIConnectionError:
        sys.exit(f"No answer from {URL}: does a server run there?")
    except openai.APIError as error:
        sys.exit(error.message)
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
