import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toJobFolder } from '../../../src/run-record/transcripts/places.ts';
import { sweepTranscripts } from '../../../src/run-record/transcripts/sweep.ts';
import { findTranscript, removeTranscript, Transcripts } from '../../../src/run-record/transcripts/transcripts.ts';
import { makeFolder } from '../../support/folder.ts';

const AT = new Date('2026-11-27T10:00:00Z');
const open = (folder: string): Transcripts =>
  new Transcripts(folder, { redact: (text) => text.replaceAll('hunter22', '[redacted]'), keepDays: 7 });
const toCall = (text: string) => ({ model: 'm', prompt: { text }, reply: null });

test('writes one private file a call, without secrets, and removes a job’s own', async () => {
  const folder = join(makeFolder(), 'transcripts');
  const transcripts = open(folder);
  await transcripts.write('task-1', AT, toCall(`the key is hunter22, or sk-${'a'.repeat(30)}`));
  await transcripts.write('task-1', AT, toCall('x'.repeat(300_000)));
  const path = toJobFolder(folder, 'task-1');
  expect(readdirSync(path)).toEqual(['0001.json', '0002.json']);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(path, '0001.json')).mode & 0o777).toBe(0o600);
  const first = readFileSync(join(path, '0001.json'), 'utf8');
  expect(JSON.parse(first)).toMatchObject({ job: 'task-1', prompt: { text: 'the key is [redacted], or [redacted]' } });
  expect(readFileSync(join(path, '0002.json'), 'utf8').length).toBeLessThan(110_000);

  await transcripts.write('task-2', AT, toCall('two'));
  expect(await findTranscript(folder, 'task-1')).toEqual({ path, calls: 2 });
  expect(await removeTranscript(folder, 'task-1')).toBe(true);
  expect(await removeTranscript(folder, 'task-1')).toBe(false);
  expect(readdirSync(folder)).toEqual(['task-2']);
});

test('holds what was sent, though the run adds to its messages meanwhile', async () => {
  const folder = join(makeFolder(), 'transcripts');
  const messages = ['question'];
  const writing = open(folder).write('task-1', AT, { model: 'm', prompt: { messages }, reply: null });
  messages.push('what came later');
  await writing;
  const text = readFileSync(join(toJobFolder(folder, 'task-1'), '0001.json'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ prompt: { messages: ['question'] } });
});

test('an id that another program chose stays in the folder', () => {
  for (const id of ['../x', '..', '.', 'a/b', '/etc']) expect(toJobFolder('/t', id)).toMatch(/^\/t\/[^/]+$/);
  expect(['..', '.'].map((id) => toJobFolder('/t', id))).not.toContain('/t/..');
});

test('removes what is too old, and the oldest beyond the most bytes', async () => {
  const folder = join(makeFolder(), 'transcripts');
  const transcripts = open(folder);
  const nowMs = AT.getTime();
  for (const [i, id] of ['old', 'middle', 'new'].entries()) {
    await transcripts.write(id, AT, toCall('x'.repeat(1_000)));
    const at = (nowMs - (2 - i) * 3_600_000) / 1_000;
    utimesSync(join(folder, id, '0001.json'), at, at);
  }
  expect(await sweepTranscripts(folder, { nowMs, keepMs: 90 * 60_000 })).toBe(1);
  expect(readdirSync(folder).toSorted()).toEqual(['middle', 'new']);
  expect(await sweepTranscripts(folder, { nowMs, keepMs: 86_400_000, mostBytes: 1_500 })).toBe(1);
  expect(readdirSync(folder)).toEqual(['new']);
  expect(existsSync(join(folder, 'none'))).toBe(false);
  expect(await sweepTranscripts(join(folder, 'none'), { nowMs, keepMs: 1 })).toBe(0);
});
