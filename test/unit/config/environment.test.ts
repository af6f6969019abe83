import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { environmentNames, loadConfig, requireAnthropicKey } from '../../../src/config/environment.ts';
import { toGitAuthor } from '../../../src/config/git-author.ts';
import { packageFolder } from '../../../src/config/package-folder.ts';
import { readEmbeddedChoice, writeEmbeddedChoice } from '../../../src/config/embedded-choice.ts';
import { shardVariableNames } from '../../../src/config/shards.ts';
import { makeFolder } from '../../support/folder.ts';

let home = '';
let env: NodeJS.ProcessEnv = {};
beforeEach(() => {
  home = makeFolder();
  env = { FLEET_HOME: home, FLEET_DATA: join(home, 'data') };
});

const writeEnv = (text: string) => writeFileSync(join(home, '.env'), text);

describe('the environment', () => {
  it.each([
    ['haiku-fleet', 'haiku-fleet <worker@haiku-fleet.invalid>'],
    ['Ann B. <ann@site.example>', 'Ann B. <ann@site.example>'],
    ['  Zoë  <z@x> ', 'Zoë <z@x>'],
  ])('takes the author %j', (text, author) => {
    const { name, email } = toGitAuthor(loadConfig({ ...env, FLEET_GIT_AUTHOR: text }).FLEET_GIT_AUTHOR);
    expect(`${name} <${email}>`).toBe(author);
  });

  it.each(['<a@b>', 'a <b', 'a "b"', 'a\nb', '…', 'a <b c>', 'a\\'])('refuses the author %j', (text) => {
    expect(() => loadConfig({ ...env, FLEET_GIT_AUTHOR: text })).toThrow('FLEET_GIT_AUTHOR: expected a name');
  });

  it.each(['/etc', '../x', 'a/../b', 'a//b', '.env', 'app/.env.local', '.git', 'sub/.GIT/x', 'a/.'])(
    'links no %j into trees of tasks',
    (path) => {
      const links = `node_modules,${path}`;
      expect(() => loadConfig({ ...env, FLEET_WORKTREE_LINKS: links })).toThrow('FLEET_WORKTREE_LINKS: expected');
    },
  );

  it('names every wrong variable, its rule and its value in one message', () => {
    const wrong = {
      ...env,
      FLEET_HAIKU_PROCESSES: '0',
      FLEET_BUDGET_USD: 'lots',
      FLEET_LOG_LEVEL: 'loud',
      FLEET_SWARM: 'Ä',
    };
    expect(() => loadConfig(wrong)).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        message: [
          'the environment is wrong:',
          '  FLEET_SWARM: expected a lower-case name, got "Ä"',
          '  FLEET_LOG_LEVEL: expected trace, debug, info, warn, error, fatal or silent, got "loud"',
          '  FLEET_BUDGET_USD: expected a number 0..1000000, got "lots"',
          '  FLEET_HAIKU_PROCESSES: expected a whole number 1..64, got "0"',
        ].join('\n'),
      }),
    );
  });

  it.each(['1.5', ' ', 'NaN', '0x', '-1', '65'])('takes no process count of %j', (value) => {
    expect(() => loadConfig({ ...env, FLEET_HAIKU_PROCESSES: value })).toThrow(/FLEET_HAIKU_PROCESSES/);
  });

  it('never prints what may be a secret', () => {
    const wrong = { ...env, REDIS_URL: 'http://:hidden-word@host', DASHBOARD_PASSWORD: 'hidden' };
    expect(() => loadConfig(wrong)).toThrow(/REDIS_URL[\s\S]*DASHBOARD_PASSWORD/);
    expect(() => loadConfig(wrong)).not.toThrow(/hidden/);
  });

  it.each([
    ['a zero-width space', '\u200b', 'U+200B'],
    ['a line break', '\n', 'U+000A'],
    ['a space', ' ', 'U+0020'],
    ['a control character', '\u0007', 'U+0007'],
    ['a byte order mark', '\ufeff', 'U+FEFF'],
    ['a letter of Latin-1', 'é', 'U+00E9'],
    ['a letter beyond it', 'ł', 'U+0142'],
  ])('refuses a key with %s, which no header can carry, and does not show it', (_what, character, code) => {
    for (const name of ['ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'GEMINI_API_KEY_SHARD3', 'DEEPSEEK_API_KEY']) {
      const wrong = { ...env, [name]: `hidden${character}word` };
      const rule = `  ${name}: expected ASCII letters, digits and signs, got ${code} as character 7; copy the key again`;
      expect(() => loadConfig(wrong)).toThrow(
        expect.objectContaining({ name: 'ConfigError', message: expect.stringContaining(rule) }),
      );
      expect(() => loadConfig(wrong)).not.toThrow(/hidden|word/);
    }
  });

  it('refuses the reserved swarm name and workspaces that are no absolute folders', () => {
    expect(() => loadConfig({ ...env, FLEET_SWARM: 'fleet' })).toThrow(/FLEET_SWARM: "fleet" is the default swarm/);
    expect(() => loadConfig({ ...env, FLEET_WORKSPACES: 'site=relative' })).toThrow(/FLEET_WORKSPACES.*site=relative/);
    expect(loadConfig({ ...env, FLEET_WORKSPACES: 'a=/x, b=/y/' }).FLEET_WORKSPACES).toEqual({ a: '/x', b: '/y' });
  });

  it('treats an empty variable as one that is not set', () => {
    expect(loadConfig({ ...env, DASHBOARD_PORT: '' }).DASHBOARD_PORT).toBe(3_900);
  });
});

describe('.env', () => {
  it('is read from the home of the fleet, and the shell wins', () => {
    writeEnv('FLEET_HAIKU_PROCESSES=3\nDASHBOARD_PORT=4000\n');
    const config = loadConfig({ ...env, DASHBOARD_PORT: '5000' });
    expect(config).toMatchObject({ FLEET_HAIKU_PROCESSES: 3, DASHBOARD_PORT: 5_000, shadowed: ['DASHBOARD_PORT'] });
  });

  it('of the folder a command is typed in is not looked at', () => {
    const here = process.cwd();
    const folder = join(home, 'elsewhere');
    mkdirSync(folder);
    writeFileSync(join(folder, '.env'), 'FLEET_HAIKU_PROCESSES=9\n');
    try {
      process.chdir(folder);
      expect(loadConfig(env).FLEET_HAIKU_PROCESSES).toBe(2);
    } finally {
      process.chdir(here);
    }
  });

  it('.env.example lists every variable there is, and only those', () => {
    const example = readFileSync(join(packageFolder, '.env.example'), 'utf8');
    const listed = [...example.matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]);
    const names = [...environmentNames, ...shardVariableNames(1)];
    expect(new Set(listed)).toEqual(new Set(names));
    expect(listed).toHaveLength(names.length);
    writeEnv(example.replace(/^# ([A-Z][A-Z0-9_]+=)/gm, '$1'));
    expect(() => loadConfig(env)).not.toThrow();
  });
});

describe('keys', () => {
  it('are required unless the models are simulated', () => {
    expect(() => requireAnthropicKey(loadConfig(env))).toThrow(/ANTHROPIC_API_KEY.*FLEET_OFFLINE=1/);
    expect(() => requireAnthropicKey(loadConfig({ ...env, FLEET_OFFLINE: '1' }))).not.toThrow();
    expect(() => requireAnthropicKey(loadConfig({ ...env, ANTHROPIC_API_KEY: 'any' }))).not.toThrow();
  });
});

describe('the choice of an own Redis', () => {
  it('is used by every process until REDIS_URL says otherwise, for its own swarm only', () => {
    writeEmbeddedChoice(join(home, 'data'), 'acme', { port: 7_000, folder: '/x' });
    expect(loadConfig({ ...env, FLEET_SWARM: 'acme' })).toMatchObject({
      REDIS_URL: 'redis://127.0.0.1:7000',
      embedded: { port: 7_000 },
    });
    expect(loadConfig({ ...env, FLEET_SWARM: 'acme', REDIS_URL: 'redis://other:1' })).toMatchObject({
      REDIS_URL: 'redis://other:1',
      embedded: null,
    });
    expect(loadConfig(env)).toMatchObject({ REDIS_URL: 'redis://127.0.0.1:6379', embedded: null });
  });

  it('can be taken back', () => {
    writeEmbeddedChoice(home, null, { port: 7_000, folder: '/x' });
    writeEmbeddedChoice(home, null, null);
    expect(readEmbeddedChoice(home, null)).toBeNull();
  });
});
