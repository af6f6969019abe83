import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageFolder } from '../../../src/config/package-folder.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { makeFolder } from '../../support/folder.ts';
import { plainEnvironment, startFleet } from '../../support/process/fleet-command.ts';
import { endDaemon } from '../../support/process/pm2.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** What a shell, an address, a pattern and an option parser would each take for their own. */
const ODD = `-a b'c"d$(e)%41#?[f]é`;

it('everything works where the checkout, the home, the workspace and pm2 lie in a folder of an odd name', async () => {
  const folder = join(makeFolder(), ODD);
  const at = (name: string) => join(folder, name);
  for (const name of ['checkout', 'home', 'site']) mkdirSync(at(name), { recursive: true });
  for (const name of ['dist', 'package.json', 'ecosystem.config.js', 'scripts', 'node_modules']) {
    const [from, to] = [join(packageFolder, name), at('checkout')];
    try {
      execFileSync('cp', ['-al', '--', from, to], { stdio: 'ignore' }); // hard links
    } catch {
      execFileSync('cp', ['-a', '--', from, to]); // another file system
    }
  }
  writeFileSync(join(at('site'), 'a.txt'), 'one\n');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: at('site'), stdio: 'ignore' });
  git('init');
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-m', 'Begin');
  const provider = await startAnthropicSimulator({ latencyMs: 5 });
  redis.cleanup(() => provider.close());
  const variables = {
    REDIS_URL: redis.url,
    FLEET_SWARM: redis.swarm,
    FLEET_OFFLINE: '1',
    FLEET_HAIKU_PROCESSES: '1',
    FLEET_RUN_ALLOW: 'ls',
    FLEET_WORKSPACES: `site=${at('site')}`,
    DASHBOARD_PORT: String(await findFreePort()),
    ANTHROPIC_BASE_URL: provider.url,
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=\`${value}\`\n`);
  writeFileSync(join(at('home'), '.env'), lines.join(''));
  const env = plainEnvironment({ PM2_HOME: at('pm2'), FLEET_HOME: at('home'), FLEET_DATA: at('data') });
  const fleet = (...args: string[]) =>
    startFleet(args, env, folder, '', join(at('checkout'), 'dist/src/cli/main.js')).done;

  redis.cleanup(() => endDaemon(at('pm2/pm2.pid')));
  expect(await fleet('up')).toMatchObject({ code: 0, stderr: '' });
  const script = [
    { name: 'write', input: { file_path: 'b.txt', content: 'two\n' } },
    { name: 'run', input: { argv: ['ls', '-l'] } },
    { name: 'grep', input: { pattern: 'two' } },
  ];
  const task = ['task', 'Play it.', '--workspace', 'site', '--data', JSON.stringify({ script }), '--wait'];
  const { stdout } = await fleet(...task);
  expect(stdout).toContain('Played 3 of 3 calls.');
  expect(await fleet('apply', /finding_\w+/.exec(stdout)?.[0] ?? '')).toMatchObject({ code: 0 });
  expect(readFileSync(join(at('site'), 'b.txt'), 'utf8')).toBe('two\n');
  expect(await fleet('reload')).toMatchObject({ code: 0 });
  expect(await fleet('down')).toMatchObject({ code: 0 });
});
