// useChat of the AI SDK, with its own transport: only `api` is Belay's.

import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { createRoot } from "react-dom/client";

const transport = new DefaultChatTransport({ api: "/api/v1/ai/chat" });

function Chat() {
  const { messages, sendMessage, stop, status, error } = useChat({ transport });
  const isBusy = status === "submitted" || status === "streaming";
  const ask = (event) => {
    event.preventDefault();
    sendMessage({ text: new FormData(event.target).get("query") });
    event.target.reset();
  };
  return (
    <main>
      {messages.map(({ id, role, parts }) => (
        <article key={id} className={role}>
          <p>{parts.map((part) => (part.type === "text" ? part.text : ""))}</p>
          <ol>
            {parts.filter(isSource).map(({ sourceId, title, url }) => (
              <li key={sourceId}>{url ? <a href={url}>{title}</a> : title}</li>
            ))}
          </ol>
        </article>
      ))}
      {error && <p role="alert">{error.message}</p>}
      <form onSubmit={ask}>
        <input name="query" aria-label="Question" required />
        <button type="submit" disabled={isBusy}>
          Ask
        </button>
        <button type="button" disabled={!isBusy} onClick={stop}>
          Stop
        </button>
      </form>
    </main>
  );
}

const isSource = ({ type }) => type === "source-url" || type === "source-document";

createRoot(document.body.appendChild(document.createElement("div"))).render(<Chat />);
