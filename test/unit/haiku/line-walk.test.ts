import { expect, test } from 'vitest';
import { layOut } from '../../../src/haiku/tools/files/text/lay-out.ts';
import { LineWalk } from '../../../src/haiku/tools/files/text/line-walk.ts';
import { createRandom, takeSeed } from '../../support/random.ts';

const random = createRandom(takeSeed('random reads'));

/** Shows one part of a text that comes in small pieces. */
function show(text: string, start: { line: number; character: number }, room: number) {
  const bytes = Buffer.from(text);
  const walk = new LineWalk(start, room + 4);
  for (let at = 0; at < bytes.length;) {
    const size = random(1, 7);
    walk.add(bytes.subarray(at, at + size));
    at += size;
  }
  return { walk, laid: layOut({ bytes: walk.kept, isEnd: !walk.isFull }, start.line, Infinity, room) };
}

function randomText(): string {
  const letters = ['a', 'é', '€', '🐘', '\n', '\n', '\r\n'];
  return Array.from({ length: random(1, 60) }, () => letters[random(0, letters.length - 1)] ?? '').join('');
}

test('the parts of any text, in any pieces, make the text', () => {
  for (let i = 0; i < 1_000; i += 1) {
    const text = randomText();
    const room = random(12, 40);
    let found = '';
    let start = { line: 1, character: 1 };
    for (let parts = 0; ; parts += 1) {
      expect(parts, JSON.stringify({ text, room })).toBeLessThan(100);
      const { walk, laid } = show(text, start, room);
      expect(walk.lineCount).toBe(text.split('\n').length - (text.endsWith('\n') ? 1 : 0));
      expect(laid.isUtf8).toBe(true);
      found += laid.text.replaceAll(/^ *\d+\t/gm, '');
      if (laid.cutAfter !== null) {
        start = { line: start.line, character: start.character + laid.cutAfter };
      } else if (laid.lastLine < walk.lineCount) {
        found += '\n';
        start = { line: laid.lastLine + 1, character: 1 };
      } else {
        break;
      }
    }
    expect(found, JSON.stringify({ text, room })).toBe(text.replaceAll('\r\n', '\n').replace(/\n$/, ''));
  }
});

test('counts the characters of the line of the start, and both kinds of line ends', () => {
  const text = 'ab\r\n🐘é\r\ncde\nf';
  for (const [line, length] of [
    [1, 2],
    [2, 2],
    [3, 3],
    [4, 1],
  ] as const) {
    const { walk } = show(text, { line, character: 1 }, 100);
    expect([walk.firstLineLength, walk.ends]).toEqual([length, { crlf: 2, lf: 1 }]);
  }
});
