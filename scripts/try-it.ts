// What a server prints once it is ready: commands to paste into a shell, which show what Belay is about.

export function tryIt(url: string, token: string): string {
  const bearer = `-H 'Authorization: Bearer ${token}'`;
  const ask = (options: string, query: string) =>
    [
      `curl ${options} '${url}/api/v1/ai/ask?stream=true'`,
      bearer,
      `-H 'Content-Type: application/json' -d '${JSON.stringify({ query })}'`,
    ].join(" \\\n  ");
  const quota = [`curl -sw '\\n' '${url}/api/v1/ai/quota'`, bearer].join(" \\\n  ");
  // Another question than the first: that one's answer is given again, and free, for a few seconds.
  return `Open it in a browser, or ask from here, as the user "you", of the documents that came with Belay:

${ask("-N", "When am I charged for an answer?")}

See your quota:

${quota}

Press Ctrl-C in the middle of an answer, and ask for the quota again: nothing was charged. Here curl
leaves by itself, after a second:

${ask("-N -m 1", "What happens when I leave before the answer ends?")}; sleep 1; ${quota}
`;
}
