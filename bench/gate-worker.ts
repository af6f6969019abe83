/**
 * Process entry of the rate gate's benchmark and fault tests: a librarian without models, which calls a counting provider
 * as often as the gate allows. Its only argument is JSON, `GateWorkerOptions`.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRateGate } from '../src/librarian/gate/rate-gate.ts';
import { daysOf } from './scaled-days.ts';
import type { PermitAnswer, RateGate } from '../src/librarian/gate/types.ts';
import type { ShardLimits } from '../src/librarian/gate/shard-project.ts';
import { createLogger } from '../src/process/logger.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { createDb } from '../src/redis/db.ts';

export interface GateWorkerOptions {
  redisUrl: string;
  swarm: string;
  provider: string;
  shards: ShardLimits[];
  /** Count of queries at once. */
  queries: number;
  pacing: boolean;
  /** Blocks the process for so long now and then, between a call and its departure, ms. Default: never. */
  blockMs?: number;
  /** Length of a day of this run. Null: days begin at midnight Pacific. */
  dayMs: number | null;
}

/** Share of the calls that are blocked. */
const BLOCKED_SHARE = 0.1;

const options = JSON.parse(process.argv[2] ?? '') as GateWorkerOptions;
const stop = new AbortController();
setMaxListeners(0, stop.signal); // all queries share it
const redis = await connectRedis(options.redisUrl, { role: 'worker', name: 'bench-gate' });
const gate = createRateGate({
  db: createDb(redis, options.swarm),
  shards: options.shards,
  log: createLogger('gate', 'warn', { write: (line) => process.stderr.write(line) }),
  pacing: options.pacing,
  ...(options.dayMs === null ? {} : { dayAt: daysOf(options.dayMs) }),
});

process.once('SIGTERM', () => stop.abort());
process.once('disconnect', () => process.exit(0)); // the parent has ended
// Opens the connections first: a scaled window allows the network some milliseconds, a real one half a second.
await Promise.all(Array.from({ length: options.queries }, () => fetch(options.provider).then((reply) => reply.text())));
process.send?.('ready');
await Promise.all(Array.from({ length: options.queries }, () => askUntilStopped(gate)));
await gate.close();
redis.disconnect();
process.disconnect?.();

async function askUntilStopped(open: RateGate): Promise<void> {
  while (!stop.signal.aborted) {
    const answer = await open.acquire({ tokens: 100 }, { signal: stop.signal }).catch(() => null);
    if (answer !== null) await act(open, answer);
  }
}

async function act(open: RateGate, answer: PermitAnswer): Promise<void> {
  if (answer.kind === 'too-large') throw new Error(`too large for ${answer.limitTokens} tokens`);
  if (answer.kind === 'wait') {
    await sleep(Math.max(1, answer.untilMs - Date.now()), undefined, { signal: stop.signal }).catch(() => undefined);
    return;
  }
  if (!answer.isFresh()) return answer.release();
  const headers = { 'x-pid': String(process.pid) };
  const response = await answer.send(async () => {
    if (Math.random() < BLOCKED_SHARE) block(options.blockMs ?? 0);
    const reply = await fetch(`${options.provider}/shard/${answer.shard}`, { method: 'POST', headers });
    await reply.arrayBuffer();
    return reply;
  });
  if (response.ok) await answer.settle(100);
  else await open.report429(answer.shard, { scope: 'minute', retryAfterMs: 0, statedLimit: null });
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
