import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TaskFailedError } from '../../../src/errors.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { saveContext } from '../../../src/haiku/memory-contexts.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
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
