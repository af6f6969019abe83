import { expect, it } from 'vitest';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const elsewhere = useRedis();
const redis = useRedis(); // last: its cleanups run first
const shell = useShell(redis, () => ({ FLEET_READ_SWARMS: 'ops,docs' }));

/** A swarm on another server, whose only user may read; its worker has started and shares. */
async function startOther(name: 'ops' | 'docs'): Promise<Record<string, string>> {
  const ops = await addSwarm(elsewhere, { name });
  await storeFindings(ops, { finding_1: { task: 'Why?', result: 'The disk was full.', citations: ['finding_0'] } });
  await useFleet(ops, { env: { FLEET_SHARE_WITH: redis.swarm }, haiku: createScriptedModel(() => 'done') });
  const rights = '~* resetchannels +@read +@connection +info +time +multi +exec +discard'.split(' ');
  await elsewhere.redis.call('ACL', 'SETUSER', 'reader', 'reset', 'on', '>a-long-password-1', ...rights);
  return { [`FLEET_PEER_${name.toUpperCase()}`]: elsewhere.url.replace('//', '//reader:a-long-password-1@') };
}

it('commands read another swarm with the rights that its page names, and show no password', async () => {
  const env = await startOther('ops');
  const fleet = (...args: string[]) => shell.start(args, { env }).done;
  const list = await fleet('findings', '--swarm', 'ops');
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout).toMatch(/^ops\/finding_1 .*SIMULATED {2}The disk was full\./);
  const one = await fleet('findings', 'ops/finding_1');
  expect(one.stdout).toMatch(/^finding:ops\/finding_1\n/);
  expect(one.stdout).toMatch(/^Swarm +ops, SIMULATED work$/m);
  expect(one.stdout).toMatch(/^Cites +ops\/finding_0$/m);
  expect((await fleet('findings', '--find', 'disk', '--swarm', 'ops')).stdout).toMatch(/^ops\/finding_1 .*SIMULATED/);
  const exported = JSON.parse((await fleet('findings', '--swarm', 'ops', '--export')).stdout) as object;
  expect(exported).toMatchObject({ finding_id: 'finding_1' });
  const doctor = await fleet('doctor');
  expect(doctor.stdout).toMatch(/swarm ops.*its findings are read; its work is SIMULATED/);
  expect(doctor.stdout + one.stdout).not.toContain('a-long-password-1');
});

it('commands name the rule where one of the two sides does not allow it, and a server that is away', async () => {
  const env = await startOther('docs');
  const fleet = (args: string[], more: Record<string, string> = {}) =>
    shell.start(args, { env: { ...env, ...more } }).done;
  const web = await fleet(['findings', 'web/finding_1']);
  expect(web).toMatchObject({ code: 2, stdout: '' });
  expect(web.stderr).toMatch(/swarm web is not read here: FLEET_READ_SWARMS names ops, docs; add web/);
  const stranger = await fleet(['findings', '--swarm', 'docs'], { FLEET_SWARM: 'stranger' });
  expect(stranger.code).toBe(2);
  expect(stranger.stderr).toMatch(/swarm docs does not share with stranger: set FLEET_SHARE_WITH=stranger there/);
  const away = await fleet(['ask', 'What is known?', '--swarm', 'docs'], {
    FLEET_PEER_DOCS: 'redis://reader:a-long-password-1@127.0.0.1:1',
  });
  expect(away.code).toBe(2);
  expect(away.stderr).toMatch(/swarm docs cannot be read: Redis is not reachable at 127\.0\.0\.1:1/);
  expect(away.stderr).not.toContain('a-long-password-1');
  expect((await fleet(['findings', '--swarm', 'docs', '--import', 'x'])).stderr).toMatch(/got --swarm/);
});
