import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { defaultHome } from '../../../src/config/home.ts';
import { redisAddress } from '../../../src/config/redis-url.ts';
import { makeFolder } from '../../support/folder.ts';

const REDIS = 'redis://10.0.0.9:7000';
let home = '';
beforeEach(() => {
  home = makeFolder();
});

const load = (env: Record<string, string> = {}) => loadConfig({ FLEET_HOME: home, FLEET_DATA: home, ...env });
const writeEnv = (content: string | Buffer) => writeFileSync(join(home, '.env'), content);
const utf16 = (text: string, bigEndian = false): Buffer => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};
const notes = (env: Record<string, string> = {}) =>
  load(env).notes.map(({ name, seen, fix }) => `${name} ${seen}: ${fix}`);

describe('.env', () => {
  it.each<[string, Buffer]>([
    ['a byte order mark', Buffer.from(`\uFEFFREDIS_URL=${REDIS}\n`)],
    ['lines that end with CR LF', Buffer.from(`REDIS_URL=${REDIS}\r\nFLEET_PR=1\r\n`)],
    ['UTF-16, little end first', utf16(`REDIS_URL=${REDIS}\r\n`)],
    ['UTF-16, big end first', utf16(`REDIS_URL=${REDIS}\n`, true)],
    ['an export and quotes', Buffer.from(`export REDIS_URL="${REDIS}" # ours\n`)],
    ['lines that end with CR', Buffer.from(`# ours\rREDIS_URL=${REDIS}\rFLEET_PR=1\r`)],
    ['a tab before the name', Buffer.from(`\tREDIS_URL=${REDIS}\n`)],
    ['blanks that nobody sees before the name', Buffer.from(`\u00a0\u200BREDIS_URL=${REDIS}\n`)],
    ['two blanks after export', Buffer.from(`export  REDIS_URL=${REDIS}\n`)],
    ['a heading before it', Buffer.from(`[fleet]\nREDIS_URL=${REDIS}\n`)],
    ['a quote that no line closes before it', Buffer.from(`X='it is\nours\nREDIS_URL=${REDIS}\n`)],
    ['a value of two lines before it', Buffer.from(`X="a = b\nc"\nREDIS_URL=${REDIS}\n`)],
    ['a comment of another program', Buffer.from(`; FLEET_PR=1\n//FLEET_PR=1\nREDIS_URL=${REDIS}\n`)],
  ])('is read with %s', (_what, bytes) => {
    writeEnv(bytes);
    expect(load()).toMatchObject({ REDIS_URL: REDIS, notes: [] });
  });

  it.each<[string, () => void, RegExp]>([
    ['is a folder', () => mkdirSync(join(home, '.env')), /\.env: it is a folder: move it away/],
    [
      'is Latin-1',
      () => writeEnv(Buffer.from('FLEET_PR=1\nFLEET_GIT_AUTHOR=Zo\xeb\n', 'latin1')),
      /line 2 is not in UTF-8/,
    ],
    ['is UTF-16 without a mark', () => writeEnv(Buffer.from('FLEET_PR=1\n', 'utf16le')), /no text in UTF-8/],
    ['is huge', () => writeEnv(Buffer.alloc(2 ** 20 + 1, '#')), /it has 1048577 bytes/],
    ['is a pipe', () => execFileSync('mkfifo', [join(home, '.env')]), /it is a pipe, a socket or a device/],
    ['is a device', () => symlinkSync('/dev/zero', join(home, '.env')), /it is a pipe, a socket or a device/],
    ['is a link to nothing', () => symlinkSync('nowhere', join(home, '.env')), /a link to a file that is missing/],
    ['is a link to itself', () => symlinkSync('.env', join(home, '.env')), /a link that leads to itself/],
    [
      'opens a quote',
      () => writeEnv('FLEET_GIT_AUTHOR="Zoe\nFLEET_BUDGET_USD=1\nX="\n'),
      /FLEET_GIT_AUTHOR begins with a quote/,
    ],
  ])('is refused with a reason where it %s', (_what, write, reason) => {
    write();
    expect(() => load()).toThrow(
      expect.objectContaining({ name: 'ConfigError', message: expect.stringMatching(reason) }),
    );
  });

  it.skipIf(process.getuid?.() === 0)('is refused where this user may not read it', () => {
    writeEnv('FLEET_PR=1\n');
    chmodSync(join(home, '.env'), 0);
    expect(() => load()).toThrow(/\.env: this user may not read it/);
  });

  it('names a variable that it sets twice, and a line that sets nothing', () => {
    writeEnv('FLEET_BUDGET_USD=1\nFLEET_PR=1\nFLEET_BUDGET_USD=2\nFLEET_PR=1\nFLEET_OFFLINE: 1\n');
    expect(load().FLEET_BUDGET_USD).toBe(2);
    expect(notes()).toEqual([
      'FLEET_OFFLINE line 5 of .env sets nothing: write it as FLEET_OFFLINE=value',
      'FLEET_BUDGET_USD is set 2 times in .env, in the lines 1, 3; the last one counts: remove the others',
    ]);
  });

  it.each([
    'FLEET_SWARM acme',
    'FLEET_SWARM : acme',
    'set FLEET_SWARM=acme',
    'declare -x FLEET_SWARM=acme',
    '$env:FLEET_SWARM="acme"',
    'FLEET-SWARM=acme',
  ])('line %j sets nothing, is named, and takes no other line with it', (line) => {
    writeEnv(`${line}\nREDIS_URL=${REDIS}\n`);
    expect(load()).toMatchObject({ origins: { REDIS_URL: '.env' }, REDIS_URL: REDIS });
    expect(load().FLEET_SWARM).toBeUndefined();
    expect(notes()).toEqual(['FLEET_SWARM line 1 of .env sets nothing: write it as FLEET_SWARM=value']);
  });

  it('names a line that sets nothing and its misspelt variable at once, and a quote that nothing closes', () => {
    writeEnv(`FLEET_BUDGET: 3\nDEEPSEEK_KEY 4\nREDIS_URL=${REDIS}\nFLEET_SWARM="acme`);
    expect(notes()).toEqual([
      'FLEET_BUDGET line 1 of .env sets nothing: did you mean FLEET_BUDGET_USD? write it as FLEET_BUDGET_USD=value',
      'DEEPSEEK_KEY line 2 of .env sets nothing: did you mean DEEPSEEK_API_KEY? write it as DEEPSEEK_API_KEY=value',
      'FLEET_SWARM line 4 of .env sets nothing: nothing closes its quote: write it as FLEET_SWARM=value',
    ]);
  });

  it.each(['DASHBOARD_PASSWORD=abcdefgh#ij', 'DASHBOARD_PASSWORD=#abcdefgh', 'DASHBOARD_PASSWORD="abcdefgh"ij'])(
    'names a value that is cut off: %s',
    (line) => {
      writeEnv(`${line}\n`);
      expect(notes()).toEqual([
        expect.stringMatching(/DASHBOARD_PASSWORD is cut off in line 1 .*whole value into quotes/),
      ]);
      writeEnv(`DASHBOARD_PASSWORD=ab#cdefgh\n`);
      expect(() => load()).toThrow(/at least 8 characters\n {2}DASHBOARD_PASSWORD is cut off in line 1/);
      writeEnv(`DASHBOARD_PASSWORD="abcdefgh#ij" # a#b\nFLEET_PR=1 # a#b\nDASHBOARD_USER='a#b'\nFLEET_SWARM= # mine\n`);
      expect(load()).toMatchObject({ DASHBOARD_PASSWORD: 'abcdefgh#ij', DASHBOARD_USER: 'a#b', notes: [] });
    },
  );

  it('that is hidden by /dev/null has no variables', () => {
    symlinkSync('/dev/null', join(home, '.env'));
    expect(load()).toMatchObject({ origins: {}, notes: [] });
  });

  it('is that of the project which has the package installed', () => {
    const project = makeFolder({ 'package.json': '{}', 'node_modules/haiku-fleet/package.json': '{}', 'old/.env': '' });
    const inside = join(project, 'node_modules', 'haiku-fleet');
    expect(defaultHome(inside)).toBe(project);
    expect(defaultHome(join(project, 'node_modules/.pnpm/haiku-fleet@1/node_modules/haiku-fleet'))).toBe(project);
    expect(defaultHome('/usr/lib/node_modules/haiku-fleet')).toBe('/usr/lib/node_modules/haiku-fleet');
    writeFileSync(join(inside, '.env'), '');
    expect(defaultHome(inside)).toBe(inside);
  });
});

describe('folders', () => {
  it('that are missing or files are no home', () => {
    writeEnv('FLEET_PR=1\n');
    expect(() => load({ FLEET_HOME: join(home, 'nowhere') })).toThrow(/FLEET_HOME: .*nowhere is missing/);
    expect(() => load({ FLEET_HOME: join(home, '.env') })).toThrow(/FLEET_HOME: .*\.env is no folder/);
  });

  it('of workspaces have each one name', () => {
    expect(() => load({ FLEET_WORKSPACES: 'a=/x,a=/y' })).toThrow(
      /expected each name once, got "a" for \/x and for \/y/,
    );
    expect(() => load({ FLEET_WORKSPACES: 'a=/x, y' })).toThrow(/got "y" \(a comma ends a folder/);
    expect(() => load({ FLEET_WORKSPACES: '"a=/x"' })).toThrow(/without quotes, and a comma between two/);
    expect(() => load({ FLEET_WORKSPACES: 'a=/x;b=/y' })).toThrow(/without quotes, and a comma between two/);
    expect(Object.entries(load({ FLEET_WORKSPACES: 'constructor=/x' }).FLEET_WORKSPACES)).toEqual([
      ['constructor', '/x'],
    ]);
    expect(() => load({ FLEET_HAIKU_MODEL: ' ' })).toThrow(/FLEET_HAIKU_MODEL: expected a value, got nothing/);
    expect(load({ FLEET_WORKSPACES: 'a=/x y,a=/x y/' }).FLEET_WORKSPACES).toEqual({ a: '/x y' });
  });

  it('of data need a user with a home', () => {
    const { HOME } = process.env;
    try {
      process.env['HOME'] = '';
      expect(() => loadConfig({ FLEET_HOME: home })).toThrow(/FLEET_DATA: this user has no home folder/);
      expect(loadConfig({ FLEET_HOME: home, XDG_DATA_HOME: '/data' }).dataFolder).toBe('/data/haiku-fleet');
    } finally {
      process.env['HOME'] = HOME;
    }
  });
});

describe('names that nothing reads', () => {
  it.each([
    ['FLEET_BUDGET', 'so that it sets no budget: that of a new swarm is $5 a day: did you mean FLEET_BUDGET_USD?'],
    ['FLEET_BUDGET_USDD', 'so that it sets no budget: that of a new swarm is $5 a day: did you mean FLEET_BUDGET_USD?'],
    ['FLEET_DAILY_BUDGET_USD', 'that of a new swarm is $5 a day: did you mean FLEET_BUDGET_USD?'],
    ['fleet_budget_usd', 'did you mean FLEET_BUDGET_USD?'],
    ['ANTHROPIC_APIKEY', 'so that it uses no key from it: did you mean ANTHROPIC_API_KEY?'],
    ['ANTHROPIC_KEY', 'did you mean ANTHROPIC_API_KEY?'],
    ['GEMINI_KEY', 'did you mean GEMINI_API_KEY?'],
    ['GEMINI_API_KEY_1', 'did you mean GEMINI_API_KEY?'],
    ['DEEPSEEK_APIKEY', 'did you mean DEEPSEEK_API_KEY?'],
    ['FLEET_HAIKU_PROCESES', 'so that nothing reads it: did you mean FLEET_HAIKU_PROCESSES?'],
    ['DASHBOARD_PASSWD', 'did you mean DASHBOARD_PASSWORD?'],
    ['REDIS_URI', 'did you mean REDIS_URL?'],
    ['REDISURL', 'did you mean REDIS_URL?'],
    ['FLEET_ANTHROPIC_API_KEY', 'did you mean ANTHROPIC_API_KEY?'],
    ['ANTROPIC_API_KEY', 'so that it uses no key from it: did you mean ANTHROPIC_API_KEY?'],
    ['DASHBORD_PASSWORD', 'did you mean DASHBOARD_PASSWORD?'],
    ['DASHBOARD_PWD', 'did you mean DASHBOARD_PASSWORD?'],
    ['DASHBOARD_URL', 'did you mean DASHBOARD_PUBLIC_URL?'],
    ['FLEET_WORKSPACE', 'did you mean FLEET_WORKSPACES?'],
    ['FLEET_CALL_TIMEOUT', 'did you mean FLEET_CALL_TIMEOUT_MS?'],
    ['FLEET_REDIS_URL', 'did you mean REDIS_URL?'],
    ['REDIS_HOST', 'did you mean REDIS_URL?'],
    ['FLEET_NONSENSE', 'remove it, or correct it by .env.example, which lists all'],
  ])('%s is named with its nearest neighbour, in the shell and in .env', (name, end) => {
    expect(notes({ [name]: '3' })).toEqual([expect.stringContaining(end)]);
    writeEnv(`${name}=3\n`);
    expect(notes()).toEqual([expect.stringContaining(`${name} is no name that this fleet knows`)]);
  });

  it('are not named where they are other programs’, or the neighbour is set', () => {
    const others = {
      ANTHROPIC_AUTH_TOKEN: 'x',
      ANTHROPIC_MODEL: 'x',
      GEMINI_CLI_IDE_SERVER_PORT: '1',
      FLEET_SERVER_ENABLE: '1',
      FLEET_REDIS_ADDRESS: 'x',
      FLEET_CA: 'x',
      DASHBOARD_SERVICE_HOST: 'x',
    };
    expect(load(others)).toMatchObject({ notes: [], foreign: Object.keys(others) });
    expect(notes({ REDIS_URI: REDIS, REDIS_URL: REDIS, DATABASE_URL: 'x', GEMINI_RPM_SHARD1: '3' })).toEqual([]);
  });

  it('are named where the missing key is', async () => {
    const { requireAnthropicKey } = await import('../../../src/config/environment.ts');
    expect(() => requireAnthropicKey(load({ ANTHROPIC_APIKEY: 'k' }))).toThrow(
      /ANTHROPIC_APIKEY is set, which nothing reads/,
    );
  });

  it('of the shell only are no use in .env', () => {
    writeEnv('FLEET_DATA=/x\n');
    const { notes: found } = loadConfig({ FLEET_HOME: home, XDG_DATA_HOME: '/data' });
    expect(found).toMatchObject([{ name: 'FLEET_DATA', seen: 'is read from the shell only, not from .env' }]);
  });
});

describe('values', () => {
  it.each(['5$', '1e-12', '1,50', '５', '−5', '0x10', '5\u200B', '\u00a05', '"5"', '“5”', '1 000', '$5'])(
    'a budget of %j is refused',
    (value) => {
      expect(() => load({ FLEET_BUDGET_USD: value })).toThrow(/FLEET_BUDGET_USD: expected/);
    },
  );

  it.each(['5 ', ' 5', '5\r', '5\n', '5.0', '.5e1'])('a budget of %j is five', (value) => {
    expect(load({ FLEET_BUDGET_USD: value }).FLEET_BUDGET_USD).toBe(5);
  });

  it.each([
    ['FLEET_SWARM', 'ac\u200Bme'],
    ['DASHBOARD_PASSWORD', 'secret\u200Bword'],
    ['ANTHROPIC_BASE_URL', 'http://ho\u200Bst'],
    ['FLEET_HAIKU_MODEL', '\uFEFFmodel'],
    ['FLEET_NOTIFY', 'https://hook\u2060.example'],
    ['REDIS_URL', 'redis://host\u00a0'],
  ])('of %s have no invisible character', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(/expected no invisible character, got U\+/);
    expect(() => load({ [name]: value })).not.toThrow(/secret|word/);
  });

  it('of keys and addresses have no quotes around them', () => {
    expect(() => load({ ANTHROPIC_API_KEY: '"key"' })).toThrow(/ANTHROPIC_API_KEY: expected a value without quotes/);
    expect(() => load({ REDIS_URL: `'${REDIS}'` })).toThrow(/REDIS_URL: expected a value without quotes/);
  });
});

describe('REDIS_URL', () => {
  it.each(['#', '/', '?', '%', 'a#b@c', '12#34', '12/34', '12?34'])(
    'with %j bare in the password shows no piece of it',
    (mark) => {
      for (const url of [
        `redis://:zq${mark}vx@host:6379`,
        `redis://zq${mark}vx@host`,
        `redis://12${mark}vx@host:6379/0`,
      ]) {
        expect(() => load({ REDIS_URL: url })).toThrow(/REDIS_URL: expected redis:\/\/host:port.*# as %23/);
        expect(() => load({ REDIS_URL: url })).not.toThrow(/zq|vx/);
        expect(redisAddress(url)).not.toMatch(/zq|vx|12/);
      }
    },
  );

  it('takes a database number, a scheme in capitals, and an @ or : in the password', () => {
    expect(load({ REDIS_URL: 'REDISS://:p%23w@Host:1/3' }).REDIS_URL).toBe('rediss://:p%23w@Host:1/3');
    expect(redisAddress(load({ REDIS_URL: 'redis://u:p@a:b@host:1' }).REDIS_URL)).toBe('host:1');
    for (const url of [
      'redis://host/abc',
      'redis://host/1/2',
      'redis://',
      'redis://:6379',
      'redis://hóst',
      'host:6379',
    ]) {
      expect(() => load({ REDIS_URL: url })).toThrow(/REDIS_URL: expected (?:redis:\/\/host:port|an address)/);
    }
  });
});
