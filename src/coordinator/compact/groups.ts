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
 * @param reduceBy by how many the live findings shall become fewer; pieces are chosen, oldest first, until that is reached
 */
export function choosePieces(candidates: readonly Candidate[], reduceBy: number): Candidate[][] {
  const bySession = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    bySession.set(candidate.session, [...(bySession.get(candidate.session) ?? []), candidate]);
  }
  const pieces: Candidate[][] = [];
  const rest: Candidate[] = [];
  for (const own of bySession.values()) {
    for (const piece of cut(own)) {
      if (piece.length >= FEWEST_FINDINGS) pieces.push(piece);
      else rest.push(...piece);
    }
  }
  pieces.push(...cut(rest.sort((a, b) => a.at - b.at)).filter((piece) => piece.length >= 2));
  pieces.sort((a, b) => (a[0]?.at ?? 0) - (b[0]?.at ?? 0));
  let gained = 0;
  return pieces.filter((piece) => {
    if (gained >= reduceBy) return false;
    gained += piece.length - 1;
    return true;
  });
}

/** As many as fit, one after the other: the same beginning always makes the same piece. */
function cut(candidates: readonly Candidate[]): Candidate[][] {
  const pieces: Candidate[][] = [];
  let piece: Candidate[] = [];
  let bytes = 0;
  for (const candidate of candidates) {
    if (piece.length > 0 && (piece.length >= MOST_FINDINGS || bytes + candidate.bytes > MOST_BYTES)) {
      pieces.push(piece);
      piece = [];
      bytes = 0;
    }
    piece.push(candidate);
    bytes += candidate.bytes;
  }
  if (piece.length > 0) pieces.push(piece);
  return pieces;
}
