/** A finding that may be summed up. */
export interface Candidate {
  id: string;
  /** Instant, ms since 1970. */
  at: number;
  /** Empty where it has none. */
  session: string;
  /** UTF-8 bytes it takes in the prompt. */
  bytes: number;
}

/** Findings of one summary: one paid call each. */
export const MOST_FINDINGS = 50;
/**
 * UTF-8 bytes of one call's findings. Tokens are bounded by bytes, so that the worst case stays below the step at 100,000
 * tokens where the default model's price is five times as high.
 */
export const MOST_BYTES = 80_000;
/** Fewer findings of one session than this share a summary with those of other sessions. */
const FEWEST_FINDINGS = 5;

/**
 * Chooses which findings are summed up together: by session, each session's by age, what is left of small sessions
 * together by age. A summary stands for at least two findings.
 * @param candidates oldest first
 * @param reduceBy by how many the live findings shall become fewer; groups are chosen, oldest first, until that is reached
 */
export function groupFindings(candidates: readonly Candidate[], reduceBy: number): Candidate[][] {
  const bySession = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    bySession.set(candidate.session, [...(bySession.get(candidate.session) ?? []), candidate]);
  }
  const groups: Candidate[][] = [];
  const rest: Candidate[] = [];
  for (const own of bySession.values()) {
    for (const group of cut(own)) {
      if (group.length >= FEWEST_FINDINGS) groups.push(group);
      else rest.push(...group);
    }
  }
  groups.push(...cut(rest.sort((a, b) => a.at - b.at)).filter((group) => group.length >= 2));
  groups.sort((a, b) => (a[0]?.at ?? 0) - (b[0]?.at ?? 0));
  let gained = 0;
  return groups.filter((group) => {
    if (gained >= reduceBy) return false;
    gained += group.length - 1;
    return true;
  });
}

/** As many as fit, one after the other: the same beginning always makes the same group. */
function cut(candidates: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = [];
  let group: Candidate[] = [];
  let bytes = 0;
  for (const candidate of candidates) {
    if (group.length > 0 && (group.length >= MOST_FINDINGS || bytes + candidate.bytes > MOST_BYTES)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(candidate);
    bytes += candidate.bytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
