import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TaskFailedError } from '../../../src/errors.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { readPatch, readPatchText, readWholeText, storePatch } from '../../../src/patches/record.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import { saveContext } from '../../../src/contexts/memory-contexts.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { startRawProvider } from '../../support/models/raw-provider.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { initRepository, runGit } from '../../support/person-git.ts';
import { readEverything } from '../../support/redis/read-everything.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const key = ['sk', 'ant', 'api03', 'Ab1Cd2Ef3'.repeat(5)].join('-');
const password = ['pass"w0rd', 'of a/test'].join(' ');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const env = { ANTHROPIC_API_KEY: key, DASHBOARD_PASSWORD: password };
/** What is left of a secret in any of its forms. */
const TRACES = /Ab1Cd2Ef3|w0rd|of%20a|of a\\?\/test/;
const forms = [key, `user:${key}`, password].map(base64).concat(Buffer.from(key).toString('hex'));
/** Whether a text holds a secret, in base64 at any place, or in hex. */
const hasSecret = (text: string): boolean =>
  TRACES.test(text) || forms.some((form) => text.includes(form.slice(8, -8)));

test('stores no configured key that a tool brings or a reply repeats, in any form, and shows none to the model', async () => {
  const all = [key, password, encodeURIComponent(password), base64(`user:${key}`), Buffer.from(key).toString('hex')];
  const model = createScriptedModel((_, call) =>
    call === 1
      ? { tools: [{ name: 'read', input: { file_path: 'notes.txt' } }] }
      : `found ${JSON.stringify({ all, [key]: key })}`,
  );
  const fleet = await useFleet(redis, { env, site: { 'notes.txt': all.join('\n') }, haiku: model });
  await saveContext(fleet.inner.db, 'handoff', `the key is ${key}`);

  const task = { description: `Is ${key} in notes.txt?`, workspace: 'site', contexts: ['handoff'], data: { key } };
  const finding = await (await fleet.tasks.add(task)).finding({ timeoutMs: 10_000 });

  expect(finding.result).toContain('[redacted]');
  expect(finding.task).toBe('Is [redacted] in notes.txt?');
  expect(model.calls).toHaveLength(2);
  expect(hasSecret(JSON.stringify([finding, model.calls]))).toBe(false);
  expect(hasSecret(await readEverything(redis.redis))).toBe(false);
});

test('keeps a key out of the reason, the stack and the log of a failed job', async () => {
  const model = createScriptedModel(({ messages }) => {
    if (JSON.stringify(messages).includes('crash')) throw new Error(`connection with ${key} broke`);
    throw new TaskFailedError('model', `refused ${password}`);
  });
  const fleet = await useFleet(redis, { env, haiku: model });
  for (const description of ['crash', 'refuse']) {
    const job = await fleet.tasks.add({ description });
    await expect(job.finding({ timeoutMs: 10_000 })).rejects.toThrow('[redacted]');
  }
  expect(hasSecret(await readEverything(redis.redis))).toBe(false);
});

test('a file that holds a key is not overwritten with the mark that the model was shown', async () => {
  const config = `token = ${key}\nname = one\n`;
  const model = createScriptedModel((_, call) => {
    if (call === 1) return { tools: [{ name: 'read', input: { file_path: 'app.ini' } }] };
    if (call > 2) return 'done';
    const write = { file_path: 'app.ini', content: 'token = [redacted]\nname = two\n' };
    const edit = { file_path: 'app.ini', old_string: 'name = one', new_string: 'name = two' };
    return {
      tools: [
        { name: 'write', input: write },
        { name: 'edit', input: edit },
      ],
    };
  });
  const fleet = await useFleet(redis, { env, site: { 'app.ini': config }, haiku: model });
  await (
    await fleet.tasks.add({ description: 'Rename', workspace: 'site', isolate: false })
  ).finding({ timeoutMs: 10_000 });

  expect(JSON.stringify(model.calls[2]?.messages)).toContain('writing that would destroy it');
  expect(await readFile(join(fleet.site, 'app.ini'), 'utf8')).toBe(config.replace('one', 'two'));
});

test('shows no key of a finding that an older version stored, and can retract it', async () => {
  const fleet = await useFleet(redis, { env });
  const { keys } = redis;
  const old = { finding_id: 'finding_old', result: `it is ${key}`, at: '2025-11-21T09:15:00.123Z', session: 's' };
  await redis.redis.set(keys.finding('finding_old'), JSON.stringify(old));
  await redis.redis.zadd(keys.index, Date.parse(old.at), 'finding_old');

  expect(await fleet.findings.get('finding_old')).toMatchObject({ result: 'it is [redacted]' });
  await retractFinding(fleet.inner.db, { id: 'finding_old', why: 'holds a key', by: 'test' });
  expect(await redis.redis.get(keys.finding('finding_old'))).toContain('it is [redacted]');
});

test('a key that comes in two pieces of a stream is stored nowhere, nor one in an error of the stream', async () => {
  const text = (part: string): object => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text: part },
  });
  const usage = { input_tokens: 7, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-haiku-5-5', content: [], usage };
  const begin = [
    { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    text(`it is ${key.slice(0, 20)}`),
    text(key.slice(20)),
  ];
  const done = [
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
    { type: 'message_stop' },
  ];
  const broken = [{ type: 'error', error: { type: 'invalid_request_error', message: `refused ${key}` } }];
  const provider = await startRawProvider((_request, response, body) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of [...begin, ...(body.includes('Break') ? broken : done)]) {
      response.write(`event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  });
  const fleet = await useFleet(redis, { env: { ...env, ANTHROPIC_BASE_URL: provider.url }, haiku: 'http' });

  const finding = await (await fleet.tasks.add({ description: 'Tell.' })).finding({ timeoutMs: 10_000 });
  expect(finding.result).toBe('it is [redacted]');
  const failing = await fleet.tasks.add({ description: 'Break.' });
  await expect(failing.finding({ timeoutMs: 10_000 })).rejects.toThrow('refused [redacted]');
  expect(hasSecret(await readEverything(redis.redis))).toBe(false);
});

test('a patch beside a key is shown and stored without it, and applied with it', async () => {
  const model = createScriptedModel((_, call) => {
    if (call === 1) return { tools: [{ name: 'read', input: { file_path: 'app.ini' } }] };
    const edit = { file_path: 'app.ini', old_string: 'name = one', new_string: 'name = two' };
    return call === 2
      ? { tools: [{ name: 'git', input: { args: ['mv', 'name.txt', 'moved.txt'] } }] }
      : call === 3
        ? { tools: [{ name: 'edit', input: edit }] }
        : 'done';
  });
  const site = { 'app.ini': `token = ${key}\nname = one\n`, 'name.txt': 'a', [`of-${key}.txt`]: 'b' };
  const fleet = await useFleet(redis, { env, site });
  initRepository(fleet.site);
  await fleet.startHaiku(model);
  const finding = await (
    await fleet.tasks.add({ description: 'Rename', workspace: 'site' })
  ).finding({ timeoutMs: 10_000 });
  const { db } = fleet.inner;

  const text = String(await readPatchText(db, finding.finding_id));
  expect(text).toContain('token = [redacted]\n-name = one');
  const record = await readPatch(db, finding.finding_id);
  expect(record).toMatchObject({ isRedacted: true });
  expect(hasSecret(JSON.stringify([text, finding, record, model.calls]))).toBe(false);
  expect(hasSecret(await readEverything(redis.redis))).toBe(false);

  await fleet.patches.apply({ ids: [finding.finding_id] });
  expect(await readFile(join(fleet.site, 'app.ini'), 'utf8')).toBe(`token = ${key}\nname = two\n`);
  expect(runGit(fleet.site, 'status', '--porcelain')).toBe('');
});

test('a patch whose text has lost a key is not applied by its text', async () => {
  const fleet = await useFleet(redis, { env });
  const { db } = fleet.inner;
  const record = { findingId: 'finding_1', state: 'pending', createdAt: '2026-01-02T03:04:05.678Z' } as PatchRecord;
  await storePatch(db, record, Buffer.from(`+token = ${key}\n`));
  const stored = await readPatch(db, 'finding_1');
  expect(String(await readPatchText(db, 'finding_1'))).toBe('+token = [redacted]\n');
  expect(await readWholeText(db, stored ?? record)).toBeNull();
});
