/** First rooms that a reply may get once the swarm knows how long replies are, tokens; until then it gets the full one. */
const ROOMS = [4_096, 8_192, 16_384];
/** A reply longer than this share of a room counts as one that the room would cut: the next one may not fit. */
const SHARE_OF_ROOM = 0.75;
/** Lengths by which replies are counted, tokens. Each room has one, at that share of it. */
export const LENGTHS = [512, 1_024, 2_048, ...ROOMS.map((room) => SHARE_OF_ROOM * room)] as const;
/** A cut reply is paid for, so at most one in this many may be too long for its room. */
const REPLIES_PER_CUT = 300;
/** Fewer say little: tasks that begin together begin alike, with short replies that call tools. */
const LEAST_REPLIES = 200;
/** What happens once in N times is rarely (5 %) absent from 3 N tries: so many longer replies are assumed beside those that were seen. */
const UNSEEN = 3;

/** How long the replies of one group were: the newest few thousand. */
export interface ReplySizes {
  replies: number;
  /** Replies that are longer than each of `LENGTHS`. */
  longer: readonly number[];
}

export const NO_SIZES: ReplySizes = { replies: 0, longer: LENGTHS.map(() => 0) };

export function addSizes(a: ReplySizes, b: ReplySizes): ReplySizes {
  return { replies: a.replies + b.replies, longer: a.longer.map((count, i) => count + (b.longer[i] ?? 0)) };
}

/** @param tokens of one more reply, thinking included; of a cut one as many as its room, so that it counts against that room */
export function addReply({ replies, longer }: ReplySizes, tokens: number): ReplySizes {
  return { replies: replies + 1, longer: LENGTHS.map((length, i) => (longer[i] ?? 0) + (tokens > length ? 1 : 0)) };
}

/** Whether too few replies are known to expect anything of the next ones. */
export function areTooFew({ replies }: ReplySizes): boolean {
  return replies < LEAST_REPLIES;
}

/** Returns the smallest room that cuts next to no reply of the group; `full` while too few replies are known. */
export function toFirstRoom(sizes: ReplySizes, full: number): number {
  return Math.min(full, ROOMS.find((room) => isRoomy(sizes, SHARE_OF_ROOM * room)) ?? full);
}

/**
 * Whether at most one reply in 300 is longer: by those that were seen, and by what their lengths let expect. Where a share of replies
 * is longer than some length, twice that length is taken to be passed by half of them: the real share is smaller, unless
 * replies are of two kinds. Then the long ones that were seen decide.
 */
function isRoomy(sizes: ReplySizes, length: number): boolean {
  const { replies, longer } = sizes;
  const seen = longer[LENGTHS.indexOf(length)] ?? replies;
  if (areTooFew(sizes) || seen * REPLIES_PER_CUT > replies) return false;
  return LENGTHS.some((shorter, i) => {
    const expected = (((longer[i] ?? replies) + UNSEEN) * shorter) / length;
    return shorter <= length && expected * REPLIES_PER_CUT <= replies;
  });
}
