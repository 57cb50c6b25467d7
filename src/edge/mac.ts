// Keys and hashes that are derived from a secret, each for one purpose.

/** HMAC-SHA-256 of a text that begins with its purpose. */
export async function mac(secret: Uint8Array, text: string): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
}
