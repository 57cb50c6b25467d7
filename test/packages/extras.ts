// What an answer of ours has besides what OpenAI sends, from its chunks or its
// body, as a package passes them on. Not interfaces: they are JSON, and so is
// what a package lets an application read.

export type Extras = {
  readonly belay: Belay;
  /** The addresses of the annotations. */
  readonly cited: readonly string[];
};

export type Belay = {
  readonly queryId: string;
  readonly quotaRemaining: number;
  readonly found: boolean;
  readonly sources: readonly { readonly title: string; readonly url?: string | null }[];
};

interface Part {
  readonly belay?: Partial<Belay>;
  readonly choices?: readonly { readonly delta?: Cites; readonly message?: Cites }[];
}
interface Cites {
  readonly annotations?: readonly { readonly url_citation: { readonly url: string } }[];
}

export function extras(passedOn: readonly unknown[]): Extras {
  const parts = passedOn as readonly Part[];
  const belay = Object.assign({}, ...parts.map((part) => part.belay));
  const cites = parts.flatMap(({ choices = [] }) => choices[0]?.delta ?? choices[0]?.message ?? []);
  const annotations = cites.flatMap(({ annotations = [] }) => annotations);
  return { belay, cited: annotations.map(({ url_citation }) => url_citation.url) };
}
