// A model's event stream: text in, events out, and every line outside
// events. A standard parser drops such lines, but one may be an error
// or a piece of the answer.

export interface Handlers {
  /** The name and the data of an event, each "" if absent. */
  readonly onEvent: (name: string, data: string) => void;
  /** The beginning of a line that is no comment and no standard field. */
  readonly onOddLine: (line: string) => void;
  /** An event is too long. Nothing more is read. */
  readonly onTooLong: () => void;
}

/** UTF-16 units kept of a line without data. */
const OTHER_LENGTH_MAX = 1024;

export class EventStream {
  readonly #handlers: Handlers;
  readonly #lengthMax: number;
  /** The open line. */
  #line = "";
  #lineLength = 0;
  #isData = false;
  /** The last line ended in CR. An LF that follows belongs to it. */
  #afterCr = false;
  #name = "";
  /** Undefined before a line of data. */
  #data: string | undefined;
  #dataLength = 0;

  /** `lengthMax`: UTF-16 units of an event. */
  constructor(lengthMax: number, handlers: Handlers) {
    this.#lengthMax = lengthMax;
    this.#handlers = handlers;
  }

  feed(text: string): void {
    if (text === "") return;
    let from = this.#afterCr && text.startsWith("\n") ? 1 : 0;
    this.#afterCr = false;
    let lf = text.indexOf("\n", from);
    let cr = text.indexOf("\r", from);
    while (lf >= 0 || cr >= 0) {
      const isCr = cr >= 0 && (cr < lf || lf < 0);
      const end = isCr ? cr : lf;
      this.#keep(text.slice(from, end));
      from = end + (isCr && lf === cr + 1 ? 2 : 1);
      this.#afterCr = isCr && end + 1 === text.length;
      this.#endLine();
      if (isCr) cr = text.indexOf("\r", from);
      if (lf >= 0 && lf < from) lf = text.indexOf("\n", from);
    }
    this.#keep(text.slice(from));
  }

  /** The open line, if it has at most 16 units. */
  get openLine(): string {
    return this.#lineLength > 16 ? "" : this.#line;
  }

  /** Ends the last event: many servers omit its line ends. */
  end(): void {
    this.#endLine();
    this.#endLine();
  }

  #keep(part: string): void {
    if (part === "") return;
    if (this.#lineLength < 5) this.#isData = (this.#line + part).startsWith("data");
    const room = (this.#isData ? this.#lengthMax : OTHER_LENGTH_MAX) - this.#lineLength;
    if (this.#isData && part.length + this.#dataLength > room) this.#handlers.onTooLong();
    else if (room > 0) {
      this.#line += part.slice(0, room);
      this.#lineLength += Math.min(part.length, room);
    }
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = "";
    this.#lineLength = 0;
    if (line === "") this.#endEvent();
    else if (!line.startsWith(":")) this.#field(line);
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") {
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
      this.#dataLength += value.length + 1;
    } else if (name === "event") this.#name = value;
    else if (name !== "id" && name !== "retry") this.#handlers.onOddLine(line);
  }

  #endEvent(): void {
    const name = this.#name;
    const data = this.#data ?? "";
    this.#name = "";
    this.#data = undefined;
    this.#dataLength = 0;
    if (name !== "" || data !== "") this.#handlers.onEvent(name, data);
  }
}
