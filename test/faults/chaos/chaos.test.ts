import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../chaos/main.ts', import.meta.url));
/** The short form. The long one is `npm run chaos`. */
const SHORT =
  '--tasks 120 --questions 4 --missions 1 --workers 2 --slots 10 --kill-every-ms 4000 --cut-one-in 1000 --untimed';

test('everything at once: kills, lost answers, full disks, wrong clocks; nothing is lost, done twice or paid unseen', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...SHORT.split(' ')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  console.log(output);
  expect(output).toContain('all bars hold');
  expect(code).toBe(0);
}, 300_000);
