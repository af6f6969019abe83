import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** Writes down the environments of all processes above it. */
const spy = `
  const { readFileSync, writeFileSync } = require('node:fs');
  const seen = [Object.entries(process.env).join()];
  for (let pid = process.ppid; pid > 1;) {
    try { seen.push(pid + ' ' + readFileSync('/proc/' + pid + '/environ', 'latin1')); } catch { seen.push(pid + ' closed'); }
    pid = Number(/^PPid:\\s*(\\d+)/m.exec(readFileSync('/proc/' + pid + '/status', 'utf8'))[1]);
  }
  writeFileSync('seen.txt', seen.join('\\n'));
`;

test('a program that a task starts finds no key in the environment of its worker', async () => {
  const key = ['sk', 'ant', 'api03', 'Zy9Xw8'.repeat(6)].join('-');
  const fleet = await useFleet(redis, { site: { 'a.txt': '' } });
  const worker = await startWorkerProcess(redis, {
    id: 'haiku_spied_001',
    provider: '',
    workspace: fleet.site,
    env: {
      ANTHROPIC_API_KEY: key,
      DASHBOARD_PASSWORD: 'a-password-of-9',
      OTHER_TOKEN: 'not-yours',
      FLEET_RUN_ALLOW: 'node',
    },
  });
  const script = [{ name: 'run', input: { argv: ['node', '-e', spy] } }];
  const task = { description: 'Look around.', workspace: 'site', isolate: false, data: { script } };
  const finding = await (await fleet.tasks.add(task)).finding({ timeoutMs: 20_000 });
  expect(finding.result).toContain('Played 1 of 1 calls.');

  const seen = await readFile(join(fleet.site, 'seen.txt'), 'utf8');
  expect(seen).toContain(`${worker.pid} `);
  expect(seen).toContain('ANTHROPIC_API_KEY=\0');
  for (const secret of [key, 'a-password-of-9', 'not-yours', redis.url]) expect(seen).not.toContain(secret);
  await worker.end('SIGTERM');
});
