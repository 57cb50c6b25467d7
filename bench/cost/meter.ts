/** What the Worker of the cost measurement has counted. */
export interface Meter {
  readonly workerRequests: number;
  readonly userRequests: number;
  readonly corpusCalls: number;
  readonly directoryCalls: number;
  readonly alarmsSet: number;
  readonly alarmsRung: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** The size of the corpus object's database. */
  readonly corpusBytes: number;
}
