import { expect, test } from 'vitest';
import { createLogger } from '../../../src/process/logger.ts';
import { createThrottledWarning } from '../../../src/process/throttled-log.ts';

function collect() {
  const lines: string[] = [];
  return { lines, log: createLogger('test', 'info', { write: (line) => lines.push(line) }) };
}

test('says what an error is, and nothing of what it was about', () => {
  const { lines, log } = collect();
  const error = Object.assign(new TypeError('not stored'), { code: 'OOM', command: { args: ['a prompt'] } });
  log.warn({ error }, 'tried');
  expect(JSON.parse(lines.join(''))).toMatchObject({
    error: { type: 'TypeError', message: 'not stored', code: 'OOM' },
  });
  expect(lines.join('')).not.toContain('a prompt');
});

test('says the same thing once a minute', () => {
  const { lines, log } = collect();
  const warn = createThrottledWarning(log, 'worker');
  for (let time = 0; time < 50; time += 1) warn(new Error('full'));
  warn(new Error('something else'));
  expect(lines).toHaveLength(2);
});

test('leaves out what repeats for each job, and counts it', () => {
  const lines: string[] = [];
  const log = createLogger('test', 'info', { write: (line) => lines.push(line), limitsRepeats: true });
  for (let job = 0; job < 400; job += 1) log.info({ jobId: `task-${job}`, reason: 'refusal: no' }, 'job failed');
  log.info({ jobId: 'other', reason: 'error: a bug' }, 'job failed');
  log.fatal('the end');
  expect(lines.map((line) => JSON.parse(line) as { msg: string }).map(({ msg }) => msg)).toEqual([
    ...Array.from({ length: 6 }, () => 'job failed'),
    'the end',
  ]);
});
