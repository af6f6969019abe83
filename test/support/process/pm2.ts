import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach } from 'vitest';
import { makeFolder } from '../folder.ts';
import { plainEnvironment, runFleet, type CommandResult } from './fleet-command.ts';
import { isAlive, listDescendants, waitUntil } from '../wait.ts';

/** A pm2 of the test's own, and a home of the fleet beside it. Read its fields inside hooks and tests only. */
export interface TestPm2 {
  /** `FLEET_HOME`: its `.env` is written by `configure`. */
  readonly home: string;
  readonly folder: string;
  /** The environment of a shell that uses both. */
  readonly env: NodeJS.ProcessEnv;
  /** Writes the `.env`; a second call changes single variables. */
  configure(variables: Record<string, string>): void;
  fleet(...args: string[]): Promise<CommandResult>;
  /** pm2's own command line. @returns its standard output */
  pm2(...args: string[]): Promise<string>;
  /** The same from a shell with other variables. */
  pm2WithEnv(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string>;
  list(): Promise<{ id: number; name: string; pid: number; status: string; restarts: number; killTimeoutMs: number }[]>;
}

const pm2Main = createRequire(import.meta.url).resolve('pm2/bin/pm2');

/** One pm2 daemon for each test. It is ended with all its processes after the test. */
export function usePm2(): TestPm2 {
  let folder = '';
  let variables: Record<string, string> = {};
  const pathTo = (name: string) => join(folder, name);
  const environment = () =>
    plainEnvironment({ PM2_HOME: pathTo('pm2'), FLEET_HOME: pathTo('home'), FLEET_DATA: pathTo('data') });
  const pm2WithEnv = async (env: NodeJS.ProcessEnv, ...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [pm2Main, ...args], { env });
    return stdout;
  };
  const pm2 = (...args: string[]) => pm2WithEnv(environment(), ...args);

  beforeEach(() => {
    folder = makeFolder();
    variables = {};
    mkdirSync(pathTo('home'));
  });
  afterEach(() => endDaemon(pathTo('pm2/pm2.pid')));

  return {
    get home() {
      return pathTo('home');
    },
    get folder() {
      return folder;
    },
    get env() {
      return environment();
    },
    configure(more) {
      Object.assign(variables, more);
      const lines = Object.entries(variables).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
      writeFileSync(pathTo('home/.env'), lines.join(''));
    },
    fleet: (...args) => runFleet(args, environment(), folder),
    pm2,
    pm2WithEnv,
    async list() {
      const out = await pm2('jlist');
      const listed = JSON.parse(out.slice(out.indexOf('[{') === -1 ? out.lastIndexOf('[') : out.indexOf('[{'))) as {
        pm_id: number;
        name: string;
        pid: number;
        pm2_env: { status: string; restart_time: number; kill_timeout: number };
      }[];
      return listed.map(({ pm_id, name, pid, pm2_env }) => ({
        id: pm_id,
        name,
        pid,
        status: pm2_env.status,
        restarts: pm2_env.restart_time,
        killTimeoutMs: pm2_env.kill_timeout,
      }));
    },
  };
}

/** Kills the daemon and its processes by their pids: `pm2 kill` would wait for every grace period. */
export async function endDaemon(pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const daemon = Number(readFileSync(pidFile, 'utf8'));
  const below = await listDescendants(daemon);
  for (const pid of [daemon, ...below]) {
    if (await isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
  for (const pid of [daemon, ...below])
    await waitUntil(async () => !(await isAlive(pid)), { what: `the end of ${pid}` });
}
