// What one answer uses, as measured.

/** An answer of a user who has asked before, with no other ask near it. */
export interface AnswerFigures {
  readonly tokens: number;
  /** Of the prompt; 0 without a model. */
  readonly promptCharacters: number;
  readonly workerRequests: number;
  readonly userRequests: number;
  readonly corpusCalls: number;
  /** Left out in figures of before there was a directory. */
  readonly directoryCalls?: number;
  readonly alarmsRung: number;
  readonly rowsRead: number;
  /** Without alarms. */
  readonly rowsWritten: number;
  /** Each is billed as a row written. */
  readonly alarmsSet: number;
  /** How long the user's object is awake, and how much of it the model took. */
  readonly seconds: number;
  readonly modelSeconds: number;
  /** How long timers keep it awake after the end of the stream. */
  readonly afterSeconds: number;
  /** Of the whole process: the Worker and both objects. */
  readonly cpuMs: number;
  readonly storedBytes: number;
}

export interface Figures {
  /** ISO 8601. */
  readonly measuredOn: string;
  readonly quotes: AnswerFigures;
  readonly model: AnswerFigures;
  /** The rows that a user's first answer writes more: the tables. */
  readonly firstRowsWritten: number;
  /** CPU of the Worker for one request: the signature, the route, the stub. */
  readonly edgeCpuMs: number;
  /** Memory of an open stream, from `npm run bench`. */
  readonly streamMb: number;
  /** CPU of one search, from `npm run bench`, by the number of passages. */
  readonly searchCpuMs: { readonly "5000": number; readonly "50000": number };
  /** What a passage takes in the corpus object. */
  readonly passageBytes: number;
}
