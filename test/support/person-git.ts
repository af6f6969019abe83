import { execFileSync } from 'node:child_process';

/** Runs git in a folder as a person does who has set their name, and nothing else. @returns what it printed, trimmed */
export function runGit(cwd: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=Person', '-c', 'user.email=person@example.invalid', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe',
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: '/dev/null' },
  }).trim();
}

/** Makes a folder a repository whose first commit holds all its files. @returns id of the commit */
export function initRepository(root: string, ...options: string[]): string {
  runGit(root, 'init', '-q', '-b', 'main', ...options);
  return commitAll(root, 'First');
}

/** @returns id of the commit */
export function commitAll(root: string, message: string): string {
  runGit(root, 'add', '-A');
  runGit(root, 'commit', '-q', '-m', message);
  return runGit(root, 'rev-parse', 'HEAD');
}
