/** A finding that may be compacted. */
export interface Candidate {
  id: string;
  /** Instant of the finding, ms since 1970. */
  foundAt: number;
  /** Empty: it has none. */
  session: string;
  /** The memory shard that it belongs to; empty: none. */
  shard: string;
  /** UTF-8 bytes it takes in the prompt. */
  bytes: number;
}

/** Most findings of one summary. Each summary is one paid call. */
export const MOST_FINDINGS = 50;
/**
 * Most UTF-8 bytes of one call's findings. A text has at most as many tokens as bytes, so the worst case stays below
 * 100,000 tokens, where the default model's price rises to five times as much.
 */
export const MOST_BYTES = 80_000;
/** A group of fewer findings than this is mixed with the rest of other sessions. */
const FEWEST_FINDINGS = 5;

/**
 * Divides findings into groups of one summary each, none with findings of two memory shards: by session and age, then what is left of small sessions by age. A
 * group has at least two findings.
 * @param candidates oldest first
 * @param reduceBy by how many the number of live findings has to fall; only as many groups are returned, oldest first
 */
export function groupFindings(candidates: readonly Candidate[], reduceBy: number): Candidate[][] {
  const byShard = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    byShard.set(candidate.shard, [...(byShard.get(candidate.shard) ?? []), candidate]);
  }
  const groups = [...byShard.values()].flatMap(groupOneShard);
  groups.sort((a, b) => (a[0]?.foundAt ?? 0) - (b[0]?.foundAt ?? 0));
  let reducedBy = 0;
  return groups.filter((group) => {
    if (reducedBy >= reduceBy) return false;
    reducedBy += group.length - 1;
    return true;
  });
}

function groupOneShard(candidates: readonly Candidate[]): Candidate[][] {
  const bySession = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    bySession.set(candidate.session, [...(bySession.get(candidate.session) ?? []), candidate]);
  }
  const groups: Candidate[][] = [];
  const rest: Candidate[] = [];
  for (const own of bySession.values()) {
    for (const group of cutIntoGroups(own)) {
      if (group.length >= FEWEST_FINDINGS) groups.push(group);
      else rest.push(...group);
    }
  }
  groups.push(...cutIntoGroups(rest.sort((a, b) => a.foundAt - b.foundAt)).filter((group) => group.length >= 2));
  return groups;
}

/** Fills one group after the other, in order. Findings added at the end do not change the groups before them. */
function cutIntoGroups(candidates: readonly Candidate[]): Candidate[][] {
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
