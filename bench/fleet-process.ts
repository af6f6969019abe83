import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HAIKU_NODE_ARGUMENTS } from '../src/pm2/apps.ts';

/** A built process of the fleet, started as pm2 starts it, with its peak memory. */
export interface FleetProcess {
  /** Largest resident set seen so far, MB. */
  peakMb(): number;
  /** Its resident set now, MB. @throws Error if it has ended */
  mb(): Promise<number>;
  end(signal: NodeJS.Signals): Promise<void>;
}

const LOOK_EVERY_MS = 200;

/** Starts `dist/workers/<name>.js` and waits until it reports that it is ready. */
export async function startFleetProcess(
  name: 'coordinator' | 'haiku' | 'librarian',
  env: Record<string, string | undefined>,
): Promise<FleetProcess> {
  const script = fileURLToPath(new URL(`../workers/${name}.js`, import.meta.url));
  const execArgv = name === 'haiku' ? [...HAIKU_NODE_ARGUMENTS] : [];
  const child = fork(script, { env, execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const ready = once(child, 'message').then(() => true);
  if (!(await Promise.race([ready, ended.then(() => false)]))) throw new Error(`${name}: ended before it was ready`);
  let peak = 0;
  const looking = setInterval(() => {
    readMb(child).then(
      (mb) => (peak = Math.max(peak, mb)),
      () => undefined, // it has just ended
    );
  }, LOOK_EVERY_MS);
  return {
    peakMb: () => peak,
    mb: () => readMb(child),
    async end(signal) {
      clearInterval(looking);
      child.kill(signal);
      await ended;
    },
  };
}

async function readMb({ pid }: ChildProcess): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / 1024;
}
