// Docusaurus renders it around every page, so the bubble stays when the reader
// moves on. On the server the element is an empty tag; the module below fills it.

import { useEffect, useRef } from "react";

export default function Root({ children }) {
  return (
    <>
      {children}
      <Ask url="http://127.0.0.1:8787" mode="bubble" label="Ask the docs" />
    </>
  );
}

/** Attributes are passed on. `token`: a bearer token or a function, if users sign in. */
export function Ask({ url, token, onAnswer, ...attributes }) {
  const ask = useRef(null);

  useEffect(() => {
    import(/* webpackIgnore: true */ `${url}/embed.js`).catch((error) => {
      console.warn("Belay is not reached.", error);
    });
  }, [url]);

  useEffect(() => {
    ask.current.token = token;
  }, [token]);

  useEffect(() => {
    const { current } = ask;
    const heard = (event) => onAnswer?.(event.detail);
    current.addEventListener("belay-answer", heard);
    return () => current.removeEventListener("belay-answer", heard);
  }, [onAnswer]);

  return <belay-ask ref={ask} url={url} {...attributes} />;
}
