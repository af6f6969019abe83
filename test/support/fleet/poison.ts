/** A program for tool `run` that kills the worker that runs it, also if other processes are between the two. */
export const POISON = `import { readFileSync } from 'node:fs';
for (let pid = process.ppid; pid > 1; ) {
  if (readFileSync(\`/proc/\${pid}/cmdline\`, 'utf8').includes('workers/haiku')) process.kill(pid, 'SIGKILL');
  pid = Number(/\\) \\S (\\d+)/.exec(readFileSync(\`/proc/\${pid}/stat\`, 'utf8'))?.[1] ?? 0);
}`;
