import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueName } from '../../queues/registry.ts';
import type { Config } from '../config/environment.ts';
import { openOtherSwarms } from '../other-swarms/open-other-swarms.ts';
import type { Logger } from '../process/logger.ts';
import { connectRedis } from '../redis/connect.ts';
import type { Db } from '../redis/db.ts';
import { Lease } from '../redis/lease.ts';
import { listenToControl } from '../swarm/control.ts';
import type { Feed } from './feed.ts';
import type { LoadedRule } from './store.ts';
import { toConfigured } from '../tasks/known-names.ts';

/** A process that runs the rules and dies leaves them to another one after this long. */
const LEASE_MS = 6_000;
const LOOK_EVERY_MS = 2_000;

interface WatchRulesParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
  log: Logger;
  currentSession(): Promise<string>;
  /** Connection that listens to the control channel: a rule that is made begins at once. */
  subscriber: Redis;
  /** See `watchExternalFindings`. */
  patienceMs?: number;
}

/**
 * Runs the rules of the swarm: each starts its tasks for the findings that fit. Every process of the fleet may call this; the one
 * that holds the lease does the work. Two that do it at once do no harm.
 * @returns stops it, and waits for work that is under way
 */
export function watchRules(parts: WatchRulesParts): () => Promise<void> {
  const { db, log, subscriber, patienceMs = 0 } = parts;
  const { redis, keys } = db;
  const lease = new Lease(db, keys.lease('rules'), { ttlMs: LEASE_MS, isPatient: patienceMs > 0 });
  const closing = new AbortController();
  let running: RunningFeeds | null = null;
  let wake = new AbortController();

  async function look(): Promise<void> {
    if (running === null && (await redis.exists(keys.rules)) === 0) return;
    if (!(await lease.take())) return leave();
    running ??= await runFeeds(parts);
  }

  async function leave(): Promise<void> {
    const left = running;
    running = null;
    await left?.stop();
  }

  async function watch(): Promise<void> {
    await pause(patienceMs);
    while (!closing.signal.aborted) {
      await look().catch((error: unknown) => log.warn({ error }, 'looking after the rules failed; it is tried again'));
      wake = new AbortController();
      await pause(LOOK_EVERY_MS, wake.signal);
    }
  }

  function pause(ms: number, other = closing.signal): Promise<void> {
    return sleep(ms, undefined, { signal: AbortSignal.any([closing.signal, other]) }).catch(() => undefined);
  }

  const listening = listenToControl(subscriber, keys, ({ type }) => {
    if (type !== 'rules') return;
    running?.touch();
    wake.abort();
  }).catch((error: unknown) => log.warn({ error }, 'changes of rules are seen only by their version'));
  const watching = watch();
  return async () => {
    closing.abort();
    await Promise.all([listening, watching]);
    await leave();
    await lease.release();
  };
}

interface RunningFeeds {
  /** The rules were changed. */
  touch(): void;
  stop(): Promise<void>;
}

/** Runs one feed for the own swarm, and one for each other swarm that a rule watches. Most swarms have no rule and load no feed. */
async function runFeeds(parts: WatchRulesParts): Promise<RunningFeeds> {
  const [{ Feed }, { createFirer }] = await Promise.all([import('./feed.ts'), import('./fire.ts')]);
  const { db, queues, config, log } = parts;
  const configured = toConfigured(config);
  const firer = createFirer({ ...parts, configured, queue: queues.tasks });
  const others = openOtherSwarms({ config, db, log });
  const ending = new AbortController();
  const { signal } = ending;
  const feeds = new Map<string | undefined, { feed: Feed; ended: Promise<void> }>();
  let reader: Redis | null = null;

  async function openOwn() {
    reader ??= await connectRedis(config.REDIS_URL, { role: 'worker', name: 'fleet-rules', log, signal });
    return { db, reader };
  }

  function start(swarm: string | undefined): void {
    if (feeds.has(swarm) || signal.aborted) return;
    const open = swarm === undefined ? openOwn : async () => ({ db: (await others.open(swarm)).db, reader: null });
    const feed = new Feed({ db, firer, log, swarm, open, onRules, signal });
    feeds.set(swarm, { feed, ended: feed.run() });
  }

  function onRules(rules: readonly LoadedRule[]): void {
    for (const { match } of rules) start(match.swarm);
  }

  start(undefined);
  return {
    touch() {
      for (const { feed } of feeds.values()) feed.touch();
    },
    async stop() {
      ending.abort();
      await Promise.all([...feeds.values()].map(({ ended }) => ended));
      reader?.disconnect();
      await others.close();
    },
  };
}
