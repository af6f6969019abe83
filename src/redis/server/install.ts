import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { findRedisServer, installLine, missingServer } from './binary.ts';

export interface InstallSituation {
  ci: boolean;
  root: boolean;
  /** Whether a person can answer a question. */
  terminal: boolean;
  platform: NodeJS.Platform;
}

/** `install`: at once. `ask`: after a person agreed. `tell`: not; the error names the command line. */
export type InstallDecision = 'install' | 'ask' | 'tell';

/** Whether a missing redis-server may be installed: as root without a terminal, in CI, or after a person agreed. */
export function decideInstall({ ci, root, terminal, platform }: InstallSituation): InstallDecision {
  if (platform !== 'linux' && platform !== 'darwin') return 'tell';
  if (ci || (root && !terminal)) return 'install';
  return terminal ? 'ask' : 'tell';
}

/**
 * Makes sure that this machine has a redis-server. It is installed as a program, never as a running service.
 * @throws RedisUnusableError with the command line that installs it
 */
export async function ensureRedisServer(situation = readSituation()): Promise<void> {
  if (findRedisServer() !== null) return;
  const decision = decideInstall(situation);
  if (decision === 'tell' || (decision === 'ask' && !(await askPermission(situation.platform)))) throw missingServer();
  console.error(`no redis-server on this machine: installing it (${installLine(situation.platform)})`);
  for (const [command, ...args] of installSteps(situation)) {
    if (command === undefined) continue;
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    // The caller's standard output holds the command's own result.
    spawnSync(command, args, { env, stdio: [situation.terminal ? 'inherit' : 'ignore', 'ignore', 'inherit'] });
  }
  if (findRedisServer() === null) throw missingServer();
}

function installSteps({ root, terminal, platform }: InstallSituation): string[][] {
  if (platform === 'darwin') return [['brew', 'install', 'redis']]; // brew starts no service by itself
  const sudo = root ? [] : terminal ? ['sudo'] : ['sudo', '-n'];
  return [
    [...sudo, 'apt-get', 'update', '-qq'],
    [...sudo, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'redis-tools'],
  ];
}

function readSituation(): InstallSituation {
  return {
    ci: process.env.CI !== undefined && !['', '0', 'false'].includes(process.env.CI),
    root: process.getuid?.() === 0,
    terminal: process.stdin.isTTY && process.stderr.isTTY,
    platform: process.platform,
  };
}

async function askPermission(platform: NodeJS.Platform): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(
    `There is no redis-server on this machine. Install it now (${installLine(platform)}; no service is started)? [y/N] `,
  );
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
