"""python3 openai_responses.py "When am I charged?" "And if it fails?"

The package `openai` and its Responses API. The second question follows up on
the first: Belay remembers the answer under its id.
"""

import os
import sys

import openai

URL = os.environ.get("BELAY_URL", "http://127.0.0.1:8787")
NEEDED = "Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)"
TOKEN = os.environ.get("BELAY_TOKEN") or sys.exit(NEEDED)
client = openai.OpenAI(base_url=URL + "/v1", api_key=TOKEN)


def main():
    previous = None
    for query in sys.argv[1:] or ["When am I charged?"]:
        with client.responses.create(
            model="belay",
            input=query,
            previous_response_id=previous,
            stream=True,
        ) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    print(event.delta, end="", flush=True)
                elif event.type == "response.failed":
                    sys.exit(event.response.error.message)
                elif event.type == "response.completed":
                    previous = event.response.id
                    show(event.response.model_extra["belay"])


def show(belay):
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
