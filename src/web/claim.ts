// The text of an answer that a citation belongs to.

/** A claim with fewer characters goes on after its citation. */
const CLAIM_MIN = 12;
/** Of a longer one, what is nearest to its citation, in UTF-16 units. */
const CLAIM_MAX = 1_000;

/** The text of its block since the citation before it. */
export function claimOf(cite: Element): string {
  const block = cite.closest("p, li, td, th, h3, h4, h5, h6");
  const own = cite.closest(".cited");
  if (block === null || own === null) return "";
  const range = new Range();
  range.setStart(block, 0);
  range.setEndBefore(own);
  const before = [...block.querySelectorAll(".cited")];
  for (const other of before.slice(0, before.indexOf(own)).reverse()) {
    range.setStartAfter(other);
    const claim = range.toString();
    if (claim.trim().length >= CLAIM_MIN) return claim.slice(-CLAIM_MAX);
    range.setStart(block, 0);
  }
  const claim = range.toString();
  if (claim.trim().length >= CLAIM_MIN) return claim.slice(-CLAIM_MAX);
  return (block.textContent ?? "").slice(0, CLAIM_MAX);
}
