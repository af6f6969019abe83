/**
 * Runs the fleet on other versions of Redis and Valkey: `npm run versions`. It downloads Debian's packages with the
 * libraries of their suite, checks their sums, unpacks them into a temporary folder without installing anything, and runs the
 * tests below on each server. It writes the table of docs/redis.md. What cannot be downloaded is named, and skipped.
 *
 *   npm run versions -- --only 'Valkey 8.0'          one of them
 *   npm run versions -- --server '6.2=/path/to/redis-server'   also one that Debian lacks
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const MIRROR = process.env.DEBIAN_MIRROR ?? findMirror();
/** A package, the suites that its libraries come from too, and the program in it. */
const SERVERS = [
  { name: 'Redis 7.0', suites: ['bookworm'], package: 'redis-tools', program: 'redis-check-rdb' },
  { name: 'Redis 8.0', suites: ['trixie'], package: 'redis-tools', program: 'redis-check-rdb' },
  {
    name: 'Valkey 8.0',
    suites: ['bookworm-backports', 'bookworm'],
    package: 'valkey-tools',
    program: 'valkey-check-rdb',
  },
  { name: 'Valkey 8.1', suites: ['trixie'], package: 'valkey-tools', program: 'valkey-check-rdb' },
  { name: 'Valkey 9', suites: ['sid'], package: 'valkey-tools', program: 'valkey-check-rdb' },
];
const TESTS = [
  'test/faults/redis/lanes.test.ts',
  'test/integration/redis/scripts.test.ts',
  'test/integration/redis/books-agree.test.ts',
  'test/integration/ledger/paced-calls.test.ts',
  'test/integration/ledger/repeated-timeouts.test.ts',
];
const DOC = new URL('../docs/redis.md', import.meta.url);
const [BEGIN, END] = ['<!-- versions: npm run versions -->', '<!-- /versions -->'];

const { values } = parseArgs({ options: { only: { type: 'string' }, server: { type: 'string', multiple: true } } });
const folder = mkdtempSync(join(tmpdir(), 'redis-versions-'));
const rows = [];
try {
  for (const server of SERVERS.filter(({ name }) => values.only === undefined || name === values.only))
    await run(server.name, () => unpack(server));
  for (const given of values.server ?? []) {
    const [name, path] = given.split('=');
    await run(`Redis ${name}`, async () => wrap(join(folder, name), `exec -a redis-server ${path}`));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeTable();
process.exitCode = rows.some(({ result }) => result === 'failed') ? 1 : 0;

/** The mirror that this machine's apt uses. */
function findMirror() {
  const sites = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' }).split('\n');
  const found = sites.find((site) => /\/debian\/?$/.test(site));
  if (found === undefined) throw new Error('apt knows no mirror of Debian: run apt-get update, or set DEBIAN_MIRROR');
  return found.replace(/\/$/, '');
}

/** @param prepare returns a folder with a program `redis-server` */
async function run(name, prepare) {
  let path;
  try {
    path = await prepare();
  } catch (error) {
    console.error(`SKIPPED ${name}: ${error.message}`);
    return;
  }
  const version = execFileSync(join(path, 'redis-server'), ['--version'], { encoding: 'utf8' });
  console.log(`\n${name}: ${version}`);
  const env = { ...process.env, FLEET_TEST_SERVER: name, PATH: `${path}:${process.env.PATH}` };
  const { status } = spawnSync('npx', ['vitest', 'run', ...TESTS], { env, stdio: 'inherit' });
  rows.push({ name, version: /v=(\S+)/.exec(version)?.[1] ?? '?', result: status === 0 ? 'passed' : 'failed' });
}

/** Downloads a package and the libraries it needs. @returns a folder with a program `redis-server` that uses them */
async function unpack({ name, suites, package: main, program }) {
  const root = join(folder, name.replaceAll(' ', '-'));
  mkdirSync(root);
  const packages = new Map();
  for (const suite of suites.toReversed()) for (const [key, one] of await readIndex(suite)) packages.set(key, one);
  const wanted = [main];
  for (const key of wanted) {
    const one = packages.get(key);
    if (one === undefined) throw new Error(`${suites[0]} has no package ${key}`);
    const file = join(root, `${key}.deb`);
    writeFileSync(file, await download(`${MIRROR}/${one.Filename}`, one.SHA256));
    execFileSync('dpkg-deb', ['-x', file, root]);
    rmSync(file);
    const needs = `${one.Depends ?? ''}, ${one['Pre-Depends'] ?? ''}`
      .split(',')
      .map((text) => text.trim().split(/[ :|]/)[0]);
    wanted.push(...needs.filter((need) => /^(lib|zlib|gcc-\d+-base)/.test(need) && !wanted.includes(need)));
  }
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((part) => join(root, part)).join(':');
  const loader = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'lib64', 'usr/lib64']
    .map((part) => join(root, part, 'ld-linux-x86-64.so.2'))
    .find((path) => existsSync(path));
  const serverName = program.replace('check-rdb', 'server');
  return wrap(
    join(root, 'programs'),
    `exec ${loader} --argv0 ${serverName} --library-path ${libraries} ${root}/usr/bin/${program}`,
  );
}

function wrap(path, line) {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'redis-server'), `#!/bin/bash\n${line} "$@"\n`);
  chmodSync(join(path, 'redis-server'), 0o755);
  return path;
}

/** The packages of a suite by name, from its index, whose sum the suite's release file names. */
async function readIndex(suite) {
  const base = `${MIRROR}/dists/${suite}`;
  const release = String(await download(`${base}/InRelease`));
  const path = 'main/binary-amd64/Packages.xz';
  const sum = [...release.matchAll(/^ ([0-9a-f]{64}) +\d+ (\S+)$/gm)].find(([, , file]) => file === path)?.[1];
  if (sum === undefined) throw new Error(`${base}/InRelease names no ${path}`);
  const text = execFileSync('xz', ['-dc'], { input: await download(`${base}/${path}`, sum), maxBuffer: 2 ** 30 });
  return String(text)
    .split('\n\n')
    .map((block) => Object.fromEntries([...block.matchAll(/^([\w-]+): (.*)$/gm)].map(([, key, value]) => [key, value])))
    .map((one) => [one.Package, one]);
}

async function download(url, sha256) {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) }).catch((error) => {
    throw new Error(`${url} cannot be downloaded: ${error.message}`);
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const found = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== undefined && found !== sha256) throw new Error(`${url}: expected the SHA-256 ${sha256}, got ${found}`);
  return bytes;
}

/** Replaces the rows that were run; keeps the others. */
function writeTable() {
  const text = readFileSync(DOC, 'utf8');
  const [before, rest = ''] = text.split(BEGIN);
  const [table = '', after] = rest.split(END);
  const old = [...table.matchAll(/^\| (\w+ [\d.]+) \| (\S+) \| (\w+) \|$/gm)].map(([, name, version, result]) => ({
    name,
    version,
    result,
  }));
  const merged = [...old.filter(({ name }) => !rows.some((row) => row.name === name)), ...rows];
  const lines = merged
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name, version, result }) => `| ${name} | ${version} | ${result} |`);
  const head = '| server | version | result |\n|---|---|---|';
  writeFileSync(DOC, `${before}${BEGIN}\n\n${head}\n${lines.join('\n')}\n\n${END}${after}`);
}
