import { Worker } from 'node:worker_threads';

/** Entry of the processes of `src/process/off-loop.ts`: answers one call after the other. Others import its types only. */

/** To a child: call this exported function of its module. */
export interface Call {
  name: string;
  input: unknown;
}

/** From a child, for each call: `started`, then one of the others. A copied error would lose the name of its class. */
export type Report =
  | { kind: 'started' }
  | { kind: 'value'; value: unknown }
  | { kind: 'thrown'; name: string; message: string };

type Functions = Record<string, ((input: unknown) => unknown) | undefined>;

const [, , module = ''] = process.argv;
const functions: Promise<Functions> = import(module);
functions.catch(() => undefined); // each call reports it

process.on('message', async ({ name, input }: Call) => {
  try {
    const work = (await functions)[name];
    if (work === undefined) throw new TypeError(`expected an exported function of ${module}, got ${name}`);
    process.send?.({ kind: 'started' } satisfies Report);
    process.send?.({ kind: 'value', value: await work(input) } satisfies Report);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    process.send?.({ kind: 'thrown', name: error.name, message: error.message } satisfies Report);
  }
});

process.once('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined); // pm2 signals the whole tree
endWithParent();

/** A function that never returns hears nothing of its parent's end, so that a thread watches for it. */
function endWithParent(): void {
  const code = `setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), 1000)`;
  new Worker(code, { eval: true, env: {} }).unref();
}
