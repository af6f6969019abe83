import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ShutdownError, toMessage } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { createClosings, isOfKey } from './closures.ts';
import { createHold } from './timer.ts';
import { createOwnStarts, type Start } from './starts.ts';
import { pacificDay, type DayClock } from './pacific-day.ts';
import { openPermitIssuer } from './permit-issuer.ts';
import { createQuota, type ProjectView, type Taking } from './quota.ts';
import type { PermitAnswer, RateGate, WaitReason } from './types.ts';
import { createShardReports } from './shard-reports.ts';
import { toProjects, type ShardLimits, type ShardProject } from './shard-project.ts';
import { readShardStates } from './shard-states.ts';
import { untilAborted } from '../../process/until-aborted.ts';
import type { Db } from '../../redis/db.ts';
import { createWaitingLine, type Waiter } from './wait-queue.ts';

export interface RateGateOptions {
  db: Db;
  shards: readonly ShardLimits[];
  log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  /** Spreads what is left of a day's quota over what is left of the day. Default false. */
  pacing?: boolean;
  /** Told when a shard goes out. */
  notifier?: Notifier;
  /** Default: midnight Pacific. */
  dayAt?: DayClock;
}

/** A query that got nothing where it was sent first asks everywhere. */
const FIRST_ONLY_MS = 100;
/** After Redis lost data every process puts back what it knows: the last one has connected again within a second. */
const RESTORE_MS = 1_500;
const ASK_AGAIN_MS = 500;
const CLOSE_GRACE_MS = 500;

type Fitting = ProjectView & { reason: WaitReason | '' };
const isFitting = (view: ProjectView): view is Fitting => view.reason !== 'too-large';

type Granted = Extract<Taking, { kind: 'granted' }> & { id: string; began: number };

/**
 * Opens the gate of one process, two connections beside its own. Places in a window are given out by the limiter, in fair
 * turns over all processes; whether a call may start is decided by the books alone, in one step and by Redis' clock, so that
 * neither a skewed clock nor a process that stood still nor a limiter that lost its data lets a call too many through.
 */
export function createRateGate(options: RateGateOptions): RateGate {
  const { db, shards, log, pacing = false, dayAt = pacificDay } = options;
  const { redis } = db;
  const projects = toProjects(shards);
  const issuer = openPermitIssuer({ db, projects, log });
  const quota = createQuota({ db, dayAt, pacing });
  const reports = createShardReports({ ...options, projects, quota, dayAt });
  const closings = createClosings();
  const starts = createOwnStarts(projects);
  const patienceMs = 2 * Math.max(0, ...projects.map(({ heldMs }) => heldMs));
  const line = createWaitingLine({ firstOnlyMs: FIRST_ONLY_MS, patienceMs, onSpread: pump, onLate: sendAway });
  const asked = new Map<ShardProject, number>(); // places asked for and not given yet
  const places = new Map<ShardProject, number>(); // what the limiter has been told
  const given = new Set<Promise<void>>(); // places in use
  const self = randomBytes(6).toString('hex');
  let permitCount = 0;
  let saidAt = 0;
  let wakeTimer: NodeJS.Timeout | undefined;
  let closed = false;

  redis.on('ready', restoreSoon);
  for (const project of projects) setPlaces(project, project.rpm);

  /** Redis is back, perhaps without the last minute. */
  function restoreSoon(): void {
    starts
      .restore(quota)
      .catch((error: unknown) => log.warn({ reason: toMessage(error) }, 'rate gate: calls not put back'));
  }

  function setPlaces(project: ShardProject, count: number): void {
    if (places.get(project) === count) return;
    places.set(project, count);
    issuer.setPlaces(project, count).catch((error: unknown) => {
      places.delete(project);
      if (!closed) log.warn({ project: project.id, reason: toMessage(error) }, 'rate gate: limit not set');
    });
  }

  /** Sees to it that a place is asked for wherever one is waited for. */
  function pump(): void {
    clearTimeout(wakeTimer);
    const waited = projects.filter((project) =>
      line.all().some((waiter) => waiter.everywhere && waiter.projects.includes(project)),
    );
    for (const project of waited) {
      if (closings.leftMs(project) === 0 && (asked.get(project) ?? 0) === 0) ask(project);
    }
    const wakeMs = Math.min(...waited.map((project) => closings.leftMs(project)).filter((ms) => ms > 0));
    if (Number.isFinite(wakeMs) && !closed) wakeTimer = setTimeout(pump, Math.min(wakeMs + 1, patienceMs));
  }

  /** Asks the limiter for one more place of the project. */
  function ask(project: ShardProject): void {
    if (closed) return;
    const count = (by: number): void => void asked.set(project, (asked.get(project) ?? 0) + by);
    count(1);
    let got = false;
    const asking: Promise<void> = issuer
      .ask(project, async () => {
        got = true;
        count(-1);
        given.add(asking);
        await usePlace(project);
      })
      .catch((error: unknown) => {
        if (got || closed) return; // held for too long, it was taken back: the books know better
        count(-1);
        sayOnceAMinute(project, error);
        closings.close(project, 'cooling', ASK_AGAIN_MS);
        pump();
      })
      .finally(() => given.delete(asking));
  }

  function sayOnceAMinute({ id }: ShardProject, error: unknown): void {
    if (Date.now() - saidAt < 60_000) return;
    saidAt = Date.now();
    log.warn({ project: id, reason: toMessage(error) }, 'rate gate: the limiter does not answer; asking again');
  }

  /** A place of the project is this process': the oldest query that may use it takes it. */
  async function usePlace(project: ShardProject): Promise<void> {
    const waiter = closed ? undefined : line.next(project);
    if (waiter === undefined) return;
    permitCount += 1;
    const id = `${self}-${permitCount}`;
    const began = performance.now();
    try {
      const taking = await quota.take(project, { id, ...waiter.request });
      if (taking.kind === 'granted') return await hand(project, waiter, { ...taking, id, began });
      waiter.everywhere = true;
      line.putBack(waiter);
      await heed(project, waiter, taking);
    } catch (error) {
      waiter.fail(error);
    }
    pump();
  }

  async function hand(project: ShardProject, waiter: Waiter, granted: Granted): Promise<void> {
    const { id, began, shard, day } = granted;
    // Half of the 60th by which a place is held longer than a window; the other half is the network's.
    const freshMs = Math.max(25, project.heldMs / 122);
    const isFresh = (): boolean => performance.now() - began <= freshMs;
    if (closed || waiter.settled || !isFresh()) {
      await quota.giveBack(project, id, day);
      line.putBack(waiter);
      return pump();
    }
    const hold = createHold(project.heldMs + 2); // a timer may fire a millisecond early
    const start: Start = { id, at: began, tokens: waiter.request.tokens, shard, hold };
    starts.of(project).add(start);
    if (granted.left === 0) reports.dayUsedUp(project, day);
    waiter.answer({
      kind: 'permit',
      shard,
      day,
      isFresh,
      async settle(tokens) {
        start.tokens = Math.max(0, Math.round(tokens));
        await quota.settle(project, id, start.tokens);
        closings.forget(project, 'tokens');
        pump();
      },
      async release() {
        starts.of(project).delete(start);
        await quota.giveBack(project, id, day);
        hold.end();
      },
    });
    pump();
    await hold.over;
    starts.of(project).delete(start);
  }

  /** The books refuse what the limiter gave. */
  async function heed(project: ShardProject, waiter: Waiter, refusal: Exclude<Taking, { kind: 'granted' }>) {
    if (refusal.kind === 'lost') {
      log.warn('rate gate: Redis lost the calls of the last minute; putting them back');
      await starts.restore(quota);
      for (const each of projects) closings.close(each, 'cooling', RESTORE_MS);
      return;
    }
    const { reason, delayMs, rpm, tpm } = refusal;
    setPlaces(project, rpm);
    if (reason !== 'too-large' && !isOfKey(reason)) {
      closings.close(project, reason, delayMs);
      for (const each of line.all()) if (closings.soonest(each.projects).leftMs > patienceMs) sendAway(each);
      return;
    }
    waiter.projects = waiter.projects.filter((each) => each !== project);
    if (waiter.projects.length > 0) return;
    if (reason === 'too-large') waiter.answer({ kind: reason, limitTokens: tpm });
    else waiter.answer({ kind: 'wait', reason, untilMs: Date.now() + delayMs });
  }

  function sendAway(waiter: Waiter): void {
    const { leftMs, reason } = closings.soonest(waiter.projects);
    const turnMs = Math.min(...waiter.projects.map(({ heldMs, rpm }) => heldMs / rpm)); // a place comes free so often
    waiter.answer({ kind: 'wait', reason, untilMs: Date.now() + Math.ceil(Math.max(leftMs, turnMs)) });
  }

  return {
    async acquire({ tokens: estimate, exclude = [] }, { signal }): Promise<PermitAnswer> {
      signal.throwIfAborted();
      if (closed) throw new ShutdownError('the rate gate is closed');
      const tokens = Math.max(0, Math.ceil(estimate));
      const allowed = projects.filter((project) => project.shards.some(({ number }) => !exclude.includes(number)));
      if (allowed.length === 0) return { kind: 'wait', untilMs: Date.now(), reason: 'excluded' };

      const { turn, views } = await untilAborted(quota.plan(allowed, tokens, exclude), signal);
      for (const { project, rpm, repaired } of views) {
        setPlaces(project, rpm);
        if (repaired) reports.repaired(project);
      }
      const fitting = views.filter(isFitting);
      if (fitting.length === 0) return { kind: 'too-large', limitTokens: Math.max(...views.map(({ tpm }) => tpm)) };
      for (const view of fitting) closings.learn(view.project, view);

      const [soonest] = fitting.toSorted((a, b) => a.delayMs - b.delayMs);
      const usable = fitting.filter(({ reason }) => !isOfKey(reason)).map(({ project }) => project);
      if (soonest && soonest.reason !== '' && (usable.length === 0 || soonest.delayMs > patienceMs)) {
        return { kind: 'wait', untilMs: Date.now() + soonest.delayMs, reason: soonest.reason };
      }
      if (closed) throw new ShutdownError('the rate gate is closed');
      const order = views.map((_, i) => views[(turn + i) % views.length]);
      const first = order.find((view) => view?.reason === '')?.project;
      const answer = line.join({ request: { tokens, exclude }, projects: usable, everywhere: !first }, signal);
      if (first === undefined) pump();
      else ask(first);
      return answer;
    },

    report429: (shard, info) => reports.report429(shard, info),
    reportFailure: (shard, failure) => reports.reportFailure(shard, failure),
    reportSuccess: (shard) => reports.reportSuccess(shard),
    status: () => readShardStates(db, shards, { dayAt }),

    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(wakeTimer);
      redis.off('ready', restoreSoon);
      for (const waiter of line.all()) waiter.fail(new ShutdownError('the rate gate is closed'));
      starts.endAll(); // the limiter gets its places back now; the books keep the window true
      await Promise.race([Promise.allSettled(given), sleep(CLOSE_GRACE_MS)]);
      issuer.close();
    },
  };
}
