import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isAlive, waitUntil } from '../../support/wait.ts';
import { createToolWorkspace } from '../../support/tool-workspace.ts';

const toolset = fileURLToPath(new URL('../../../dist/src/haiku/toolset.js', import.meta.url));

/** A process of its own that runs one program through the built tools. */
const workerCode = `
  import { createToolset } from ${JSON.stringify(toolset)};
  const [root, lockFolder, script] = process.argv.slice(1);
  const state = { seen: new Map(), changes: new Map(), citations: new Set() };
  const context = {
    workspace: { name: 'site', root }, lockFolder, files: [], state, signal: new AbortController().signal,
    runAllow: ['sh'], httpAllow: [], redisHosts: () => [{ host: '127.0.0.1', port: 6379 }],
  };
  await createToolset({ workspace: true, runAllow: ['sh'], httpAllow: [] }).run('run', { argv: ['sh', '-c', script] }, context);
`;

test('a worker killed hard leaves no program running, and its lock to the next', async () => {
  const site = await createToolWorkspace({ runAllow: ['sh'] });
  const daemon = 'setsid sh -c "echo \\$\\$ > daemon; exec sleep 1000" </dev/null >/dev/null 2>&1 &';
  const script = `${daemon}\nwhile ! [ -s daemon ]; do sleep 0.01; done; sleep 1000 & echo $! > pid; wait`;
  const args = ['--input-type=module', '-e', workerCode, site.root, site.context.lockFolder ?? '', script];
  const env = { ...process.env, TMPDIR: dirname(site.root) }; // what it cannot remove is removed with the workspace
  const worker = spawn(process.execPath, args, { stdio: 'inherit', env });
  const readPid = async (): Promise<number> => Number(await readFile(join(site.root, 'pid'), 'utf8').catch(() => ''));
  await waitUntil(readPid, { what: 'the program of the worker' });
  worker.kill('SIGKILL');
  await once(worker, 'exit');

  const pids = [await readPid(), Number(await readFile(join(site.root, 'daemon'), 'utf8'))];
  for (const pid of pids) await waitUntil(async () => !(await isAlive(pid)), { what: 'the end of the program' });
  expect((await site.use('run', { argv: ['sh', '-c', 'rm pid'] })).content).toContain('exit code 0');
});
