import { expect, it } from 'vitest';
import { addReply, NO_SIZES, LENGTHS, toFirstRoom, type ReplySizes } from '../../../src/haiku/loop/reply-sizes.ts';
import { createRandom, takeSeed } from '../../support/random.ts';

const FULL = 32_000;
const KEPT = 4_000;
const random = createRandom(takeSeed('reply sizes'));

/** Works replies of these lengths, each in the room of what came before, as `note-replies.lua` keeps it. @returns how many were cut */
function countCuts(replies: readonly number[], sizes: ReplySizes = NO_SIZES): { cuts: number; sizes: ReplySizes } {
  let cuts = 0;
  for (const tokens of replies) {
    const room = toFirstRoom(sizes, FULL);
    if (tokens > room) {
      cuts += 1;
      sizes = addReply(sizes, room);
    }
    sizes = addReply(sizes, tokens);
    if (sizes.replies > KEPT)
      sizes = { replies: sizes.replies / 2, longer: sizes.longer.map((count) => Math.ceil(count / 2)) };
  }
  return { cuts, sizes };
}

const repeat = (count: number, toTokens: () => number): number[] => Array.from({ length: count }, toTokens);
const short = (): number => random(20, 2_000);

const shortReplies = (replies: number): ReplySizes => ({ replies, longer: LENGTHS.map(() => 0) });

it('gives a model that nobody knows the full room, and no more than the model can write', () => {
  expect(toFirstRoom(NO_SIZES, FULL)).toBe(FULL);
  expect(toFirstRoom(shortReplies(199), FULL)).toBe(FULL);
  expect(toFirstRoom(shortReplies(4_000), 2_000)).toBe(2_000);
});

it('gives very short replies a small room after some hundred of them, and longer ones after many more', () => {
  expect(toFirstRoom(shortReplies(200), FULL)).toBe(4_096);
  expect(toFirstRoom(countCuts(repeat(300, () => 2_000)).sizes, FULL)).toBe(8_192);
  expect(toFirstRoom(countCuts(repeat(900, () => 2_000)).sizes, FULL)).toBe(4_096);
});

it('takes the small room away from a group at its first long reply', () => {
  expect(toFirstRoom(addReply(shortReplies(200), 4_096), FULL)).not.toBe(4_096);
});

it.each([50, 150, 400, 1_000])('cuts at most one reply in 300 where one in %i is long', (every) => {
  const replies = repeat(30_000, () => (random(1, every) === 1 ? random(3_000, 31_000) : short()));
  expect(countCuts(replies).cuts).toBeLessThanOrEqual(replies.length / 300 + 1);
});

it('cuts only a few replies of a batch of long ones that follows thousands of short ones', () => {
  const { sizes } = countCuts(repeat(10_000, short));
  expect(
    countCuts(
      repeat(2_000, () => random(8_000, 31_000)),
      sizes,
    ).cuts,
  ).toBeLessThan(50);
});
