import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { RequestLog } from '../../../simulator/provider-host/request-log.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

it('keeps of a prompt no more than what was cut from it', () => {
  const log = new RequestLog(1_000, () => ({ question: '' }));
  const before = usedMb();
  for (let i = 0; i < 100; i += 1) {
    const prompt = `${String(i).padStart(20, '0')} ${'x'.repeat(2 ** 20)}`;
    const record = log.open('POST /', i);
    record.question = prompt.slice(0, 40);
    log.finish(record, i + 1);
  }
  expect(usedMb() - before).toBeLessThan(20);
  expect(log.records().at(-1)).toMatchObject({
    finishedAt: 100,
    question: `${'99'.padStart(20, '0')} ${'x'.repeat(19)}`,
  });
});

it('keeps a text as it is, half a surrogate pair too', () => {
  const log = new RequestLog(1, () => ({ question: '' }));
  const record = log.open('POST /', 1);
  record.question = 'tea \ud83c';
  log.finish(record, 2);
  expect(record.question).toBe('tea \ud83c');
});
