import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { startScript, type RunningScript } from '../../support/process/script.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const cwd = fileURLToPath(new URL('../../../', import.meta.url));

/** A script of a few lines that imports the built package by its name. */
function run(lines: string, env: Record<string, string> = {}): RunningScript {
  const script = `import { connectFleet, UsageError } from 'haiku-fleet';\n${lines}`;
  return startScript(redis, ['--input-type=module', '-e', script], { cwd, env });
}

it('ends by itself once the fleet is closed, however it was used', async () => {
  const used = run(`
    const fleet = await connectFleet();
    const job = await fleet.tasks.add({ description: 'x' });
    await job.finding({ timeoutMs: 100 }).catch((error) => console.log(error.name));
    for await (const end of fleet.tasks.ends(['gone', job.id])) if (end.id === 'gone') break;
    const late = job.finding({ timeoutMs: 60_000 }).catch((error) => console.log(error.message));
    await fleet.status();
    await fleet.close();
    await late;
  `);
  expect(await used.done).toMatchObject({
    code: 0,
    stderr: '',
    stdout: 'WaitTimeoutError\nthe connection to the fleet was closed while it was waited for\n',
  });
  expect(await run('await (await connectFleet()).close();').done).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

it('ends when it crashes with the fleet open and somebody waiting', async () => {
  const { code, stderr } = await run(`
    const fleet = await connectFleet();
    const job = await fleet.tasks.add({ description: 'x' });
    job.finding().catch(() => undefined);
    throw new Error('the script is wrong');
  `).done;
  expect(code).toBe(1);
  expect(stderr).toContain('the script is wrong');
});

it('says in one line that Redis is not there', async () => {
  const port = await findFreePort();
  const { code, stdout } = await run('await connectFleet().catch((error) => console.log(error.message));', {
    REDIS_URL: `redis://127.0.0.1:${port}`,
  }).done;
  expect(stdout).toMatch(new RegExp(`^Redis is not reachable at 127\\.0\\.0\\.1:${port}; .+\n$`));
  expect(code).toBe(0);
});

it.each(['killed', 'frozen'])('closes also while Redis is %s', async (how) => {
  const script = run(`
    const fleet = await connectFleet();
    const job = await fleet.tasks.add({ description: 'x' });
    const waiting = job.finding({ timeoutMs: 60_000 }).catch((error) => console.log(error.message));
    const told = new Promise((resolve) => process.once('SIGUSR2', resolve));
    console.log('waiting');
    await told;
    await fleet.close();
    await waiting;
  `);
  await waitUntil(() => script.output().includes('waiting\n'));
  const { pid } = redis;
  if (how === 'killed') await redis.kill();
  else process.kill(pid, 'SIGSTOP');
  script.child.kill('SIGUSR2');
  const ended = await Promise.race([script.done, waitUntil<null>(() => null, { orElse: () => null })]);
  if (how === 'killed') await redis.start();
  else process.kill(pid, 'SIGCONT');
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended?.stdout).toContain('closed while it was waited for');
});
