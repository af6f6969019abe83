import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { buildApps } from '../../../src/pm2/apps.ts';
import { writeEmbeddedChoice } from '../../../src/config/source/embedded-choice.ts';
import { makeFolder } from '../../support/folder.ts';

let home = '';
beforeEach(() => {
  home = makeFolder();
});

const appsOf = (more: Record<string, string> = {}) =>
  buildApps(loadConfig({ FLEET_HOME: home, FLEET_DATA: home, ...more }));

describe('the processes for pm2', () => {
  it('are a dashboard, a coordinator and the configured number of workers, named after their swarm', () => {
    expect(appsOf().map(({ name, namespace, instances }) => [namespace, name, instances])).toEqual([
      ['fleet', 'fleet-dashboard', 1],
      ['fleet', 'fleet-coordinator', 1],
      ['fleet', 'fleet-haiku', 2],
    ]);
    expect(appsOf({ FLEET_SWARM: 'acme', FLEET_HAIKU_PROCESSES: '5' }).at(-1)).toMatchObject({
      namespace: 'acme',
      name: 'acme-haiku',
      instances: 5,
      node_args: ['--max-semi-space-size=32'],
    });
  });

  it('have a bridge to other programs only where it is on', () => {
    expect(appsOf({ FLEET_BRIDGE: '1' }).map(({ name }) => name)).toContain('fleet-bridge');
    expect(appsOf({}).map(({ name }) => name)).not.toContain('fleet-bridge');
  });

  it('have librarians only where there is a shard for them', () => {
    const keyed = { GEMINI_API_KEY_SHARD2: 'key-of-a-test', FLEET_LIBRARIAN_PROCESSES: '3' };
    expect(appsOf(keyed).at(-1)).toMatchObject({ name: 'fleet-librarian', instances: 3 });
    expect(appsOf({ FLEET_OFFLINE: '1' }).map(({ name }) => name)).toContain('fleet-librarian');
    expect(appsOf({ FLEET_LIBRARIAN_PROCESSES: '3' }).map(({ name }) => name)).not.toContain('fleet-librarian');
  });

  it('begin with a Redis of their own where one was chosen', () => {
    writeEmbeddedChoice(home, null, { port: 7_000, folder: home });
    expect(appsOf()[0]).toMatchObject({ name: 'fleet-redis', instances: 1 });
    expect(appsOf({ REDIS_URL: 'redis://elsewhere' })).toHaveLength(3);
  });

  it('carry no value of the environment, and may finish a running call before they are killed', () => {
    const apps = appsOf({ ANTHROPIC_API_KEY: 'key-of-a-test', DASHBOARD_PASSWORD: 'password-of-a-test' });
    expect(JSON.stringify(apps)).not.toMatch(/of-a-test/);
    for (const app of apps) {
      expect(app).toMatchObject({ wait_ready: true, kill_timeout: 930_000, stop_exit_codes: [78], exec_mode: 'fork' });
      expect(Object.keys(app.env)).toEqual(['HAIKU_FLEET_EXPORTED']);
      expect(app.script).not.toContain(' '); // pm2 would give it to bash
    }
    for (const app of appsOf({ FLEET_CALL_TIMEOUT_MS: '3600000' })) expect(app.kill_timeout).toBe(3_630_000);
  });
});
