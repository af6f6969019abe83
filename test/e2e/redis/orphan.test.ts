import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { isAlive, waitUntil } from '../../support/wait.ts';
import { makeFolder } from '../../support/folder.ts';

let folder = '';
beforeEach(() => {
  folder = makeFolder();
});

describe('the embedded Redis', () => {
  it('ends when its parent is killed', async () => {
    const script = `
      import { startEmbeddedRedis } from ${JSON.stringify(new URL('../../../dist/src/redis/server/embedded.js', import.meta.url).href)};
      const server = await startEmbeddedRedis({ folder: ${JSON.stringify(folder)}, endWithParent: true });
      process.stdout.write(String(server.pid));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await once(parent.stdout, 'data');
    const pid = Number(String(printed));
    expect(await isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitUntil(async () => !(await isAlive(pid)), { what: 'the end of the orphaned Redis' });
  });
});
