import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { useFolder } from '../../support/folder.ts';
import { plainEnvironment } from '../../support/process/fleet-command.ts';
import { waitUntil } from '../../support/wait.ts';

const folder = useFolder();
const started: ChildProcess[] = [];
const built = new URL('../../../dist/src/process/start.js', import.meta.url).href;
const fastClock = new URL('../../support/process/fast-clock.mjs', import.meta.url).href;

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** Starts a long-lived process as the entries in `workers/` do. It prints `ready`, then runs `code`. */
async function startWatched(code: string) {
  const script = `
    import { startProcess } from '${built}';
    await startProcess('test', async () => { setInterval(() => undefined, 1_000); });
    console.log('ready');
    ${code}`;
  const file = join(folder.path, `${started.length}.mjs`);
  writeFileSync(file, script);
  const child = spawn(process.execPath, ['--import', fastClock, file], {
    env: plainEnvironment({ FLEET_LOG_LEVEL: 'silent' }),
  });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'close');
  await waitUntil(() => output.includes('ready'), { what: 'ready' });
  return { child, ended, output: () => output };
}

it('ends a process that hangs, and one that was stopped for longer lives on', async () => {
  const stopped = await startWatched(
    `process.on('SIGUSR2', () => { console.log('alive'); process.exit(0); }); console.log('listens');`,
  );
  await waitUntil(() => stopped.output().includes('listens'));
  stopped.child.kill('SIGSTOP');
  const hung = await startWatched('for (;;);');
  expect(await hung.ended).toEqual([null, 'SIGKILL']);
  expect(hung.output()).toContain('test: no event was handled for 60 s: the process hangs and ends itself');
  stopped.child.kill('SIGCONT');
  stopped.child.kill('SIGUSR2');
  expect(await stopped.ended).toEqual([0, null]);
  expect(stopped.output()).toContain('alive');
});
