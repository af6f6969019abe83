import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, waitUntil } from '../../support/wait.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-embedded-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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
