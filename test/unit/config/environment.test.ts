import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { environmentNames, loadConfig, requireAnthropicKey } from '../../../src/config/environment.ts';
import { toGitAuthor } from '../../../src/config/git-author.ts';
import { configSecrets } from '../../../src/config/redact.ts';
import { packageFolder } from '../../../src/config/package-folder.ts';
import { describeNotes } from '../../../src/config/source/notes.ts';
import { readEmbeddedChoice, writeEmbeddedChoice } from '../../../src/config/source/embedded-choice.ts';
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

  it('reads the headers of the receiver of traces as secrets, and shows none that is wrong', () => {
    const read = loadConfig({
      ...env,
      OTEL_EXPORTER_OTLP_HEADERS: ' authorization=Bearer%20word-of-a-test, x-org = 7',
    });
    expect(read.OTEL_EXPORTER_OTLP_HEADERS).toEqual({ authorization: 'Bearer word-of-a-test', 'x-org': '7' });
    expect(configSecrets(read)).toContain('word-of-a-test');
    for (const wrong of ['word-of-a-test', 'x=word-of-a-test%', 'x=word-of-a-test%0A', 'a b=word-of-a-test'])
      expect(() => loadConfig({ ...env, OTEL_EXPORTER_OTLP_HEADERS: wrong })).toThrow(
        /OTEL_EXPORTER_OTLP_HEADERS: expected name=value(?!.*word-of-a-test)/s,
      );
    expect(() => loadConfig({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://me@host' })).toThrow('without a user');
  });

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

  it.each([
    ['https://api.example.org/v1', /not a whole address, got ".*"; write api\.example\.org$/],
    ['https://me:hidden@api.example.org', /without a user or password$/],
    ['*.example.org', /there is no wildcard, got "\*\.example\.org"$/],
    ['api.example.org/v1', /without a path, got "api\.example\.org\/v1"/],
    ['api.example.org other.example.org', /hosts separated by commas/],
    ['api.example.org:http', /a port 1\.\.65535 after the colon/],
    ['api.example.org:70000', /a port 1\.\.65535 after the colon/],
    ['[::1', /expected a host or host:port, got "\[::1"$/],
    ['a..b%', /expected a host or host:port, got "a\.\.b%"$/],
  ])('takes no host %j to reach', (FLEET_HTTP_ALLOW, rule) => {
    const load = () => loadConfig({ ...env, FLEET_HTTP_ALLOW: `ok.example.org, ${FLEET_HTTP_ALLOW}` });
    expect(load).toThrow(/^the environment is wrong:\n {2}FLEET_HTTP_ALLOW: expected/);
    expect(load).toThrow(rule);
    expect(load).not.toThrow(/hidden/);
  });

  it.each([
    ['/usr/bin/npm', /not a path, got "\/usr\/bin\/npm"; write npm$/],
    ['C:\\npm', /not a path/],
    ['npm test', /names separated by commas, got "npm test"; .* any arguments$/],
    ['*', /there is no wildcard, got "\*"$/],
    ['--all', /the name of a program, got "--all"$/],
    ['..', /the name of a program, got "\.\."$/],
  ])('takes no program %j to run', (FLEET_RUN_ALLOW, rule) => {
    expect(() => loadConfig({ ...env, FLEET_RUN_ALLOW })).toThrow(rule);
  });

  it.each([
    ['http://localhost:3900', /not a whole address, got ".*"; what a proxy shows belongs in DASHBOARD_PUBLIC_URL$/],
    ['*', /expected 0\.0\.0\.0 for every address/],
    ['127.0.0.1:3900', /without a port, which belongs in DASHBOARD_PORT, got "127\.0\.0\.1:3900"$/],
    ['localhost/fleet', /without a path/],
    ['localhost, 10.0.0.1', /expected one host/],
    ['127.0.0.1 10.0.0.1', /expected one host/],
    ['a..b', /a host name or a numeric address/],
    ['[::1', /a host name or a numeric address/],
  ])('listens on no host %j', (DASHBOARD_HOST, rule) => {
    expect(() => loadConfig({ ...env, DASHBOARD_HOST })).toThrow(rule);
  });

  it('reads lists and hosts as they are meant: case, final dots, brackets, doubles', () => {
    const config = loadConfig({
      ...env,
      FLEET_HTTP_ALLOW: 'API.Example.org., api.example.org,bücher.example, ::1,[::1]:8080,10.0.0.7:8080,Box.:81',
      FLEET_RUN_ALLOW: 'npm, make,npm',
      DASHBOARD_HOST: '[::1]',
    });
    const { FLEET_HTTP_ALLOW: hosts, FLEET_RUN_ALLOW: programs, DASHBOARD_HOST: host } = config;
    expect(hosts).toEqual(['api.example.org', 'bücher.example', '::1', '[::1]:8080', '10.0.0.7:8080', 'box:81']);
    expect({ programs, host }).toEqual({ programs: ['npm', 'make'], host: '::1' });
    expect(loadConfig({ ...env, DASHBOARD_HOST: 'LocalHost.' }).DASHBOARD_HOST).toBe('localhost');
    expect(loadConfig({ ...env, DASHBOARD_HOST: 'bücher.example' }).DASHBOARD_HOST).toBe('bücher.example');
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

  it('refuses the reserved swarm name and workspaces that are no absolute folders, and names a vendor that no model is of', () => {
    expect(() => loadConfig({ ...env, FLEET_SWARM: 'fleet' })).toThrow(/FLEET_SWARM: "fleet" is the default swarm/);
    expect(() => loadConfig({ ...env, FLEET_WORKSPACES: 'site=relative' })).toThrow(/FLEET_WORKSPACES.*site=relative/);
    const vendors = 'a=/x;vendors=antropic|outside|google, b=/y;vendors=zzz';
    expect(describeNotes(loadConfig({ ...env, FLEET_WORKSPACES: vendors }).notes)).toEqual([
      'FLEET_WORKSPACES allows vendor "antropic" in workspace a, and no model that is known is of it: did you mean anthropic?',
      expect.stringMatching(
        /^FLEET_WORKSPACES allows vendor "zzz" in workspace b, .*: expected of anthropic, openai, google, .* outside/,
      ),
    ]);
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
    const names = [...environmentNames, ...shardVariableNames(1), 'FLEET_PEER_OPS'];
    expect(new Set(listed)).toEqual(new Set(names));
    expect(listed).toHaveLength(names.length);
    writeFileSync(join(home, 'models.json'), '{}');
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
