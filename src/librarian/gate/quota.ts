import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DayClock, QuotaDay } from './pacific-day.ts';
import type { Db } from '../../redis/db.ts';
import type { ShardProject } from './shard-project.ts';
import type { NoRoom, ProjectView, QuotaReport, Taking } from './types.ts';

/** One call that asks for its place in the quota. */
interface CallRequest {
  /** The permit's id, unique over all processes. */
  id: string;
  tokens: number;
  exclude: readonly number[];
}

/** A call that has left this process. */
interface DepartedCall {
  /** The permit's id. */
  id: string;
  tokens: number;
  shard: number;
}

/** As the scripts take it. */
type Day = [name: string, startsAtMs: number, endsAtMs: number];

/** A limit that the provider stated applies for so long; then the configured limit is tried again. */
const BELIEVE_MS = 7 * 24 * 3_600_000;
/** A used-up day that the provider reports so soon after midnight is the day before: its clock may be late. */
const YOUNG_DAY_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** After Redis lost data, every process restores its calls: the last process has reconnected within a second. */
const RESTORE_MS = 1_500;
/** A Redis that has run no longer may have lost its data just now. */
const YOUNG_REDIS_S = 2;

export interface QuotaOptions {
  db: Db;
  dayAt: DayClock;
  /** Spreads what is left of a day's quota over what is left of the day. */
  pacing: boolean;
}

/**
 * Counts calls and tokens of every project: in its window, in its day, and by pace. Each change is one atomic step in
 * Redis, by Redis' clock.
 */
export class Quota {
  readonly #db: Db;
  readonly #dayAt: DayClock;
  readonly #pacing: boolean;
  #epoch = ''; // of Redis' data, by the last answer: another epoch means that Redis lost data
  #learning: Promise<void> | null = null;

  constructor({ db, dayAt, pacing }: QuotaOptions) {
    this.#db = db;
    this.#dayAt = dayAt;
    this.#pacing = pacing;
  }

  /**
   * Learns the epoch of Redis' data before the first permit, so that this process notices a loss also if it has taken none.
   * Where Redis has no epoch it begins one. On a Redis that has just started it then waits: others may have calls to put back.
   */
  learnEpoch(): Promise<void> {
    return (this.#learning ??= this.#learn().catch((error: unknown) => {
      this.#learning = null;
      throw error;
    }));
  }

  /** Reads which projects have room. `turn` rises by one with every reading of every process. */
  async plan(
    projects: readonly ShardProject[],
    tokens: number,
    exclude: readonly number[],
  ): Promise<{ turn: number; views: ProjectView[] }> {
    const { keys, scripts } = this.#db;
    const answer = await this.#askWithDays((days) => {
      const specs = projects.map((project) => this.#toSpec(project, exclude));
      const named = { turn: keys.gateTurn, counters: keys.counters };
      return scripts['plan-permit']({ ...named, projects: projects.flatMap((project) => this.#keysOf(project)) }, [
        JSON.stringify({ tokens, days, projects: specs }),
      ]);
    });
    const views = projects.map((project, i): ProjectView => {
      const [reason, delay, rpm, tpm, repaired] = answer.slice(2 + 5 * i, 7 + 5 * i);
      return {
        project,
        reason: reason as ProjectView['reason'],
        delayMs: Number(delay),
        rpm: Number(rpm),
        tpm: Number(tpm),
        repaired: repaired === 1,
      };
    });
    return { turn: Number(answer[1]), views };
  }

  /** Counts one call, if its project has room. Sent again after a broken connection, it counts once. */
  async take(project: ShardProject, { id, tokens, exclude }: CallRequest): Promise<Taking> {
    const { keys, scripts } = this.#db;
    const answer = await this.#askWithDays((days) =>
      scripts['take-permit']({ counters: keys.counters, epoch: keys.gateEpoch, project: this.#keysOf(project) }, [
        JSON.stringify({
          id,
          tokens,
          days,
          epoch: this.#epoch,
          restore: RESTORE_MS,
          project: this.#toSpec(project, exclude),
        }),
      ]),
    );
    const [, kind, ...rest] = answer;
    if (kind === 'lost') {
      this.#epoch = String(rest[0]);
      return { kind };
    }
    this.#epoch = String(rest.at(-1));
    if (kind === 'granted') {
      return { kind, shard: Number(rest[0]), day: String(rest[1]), left: Number(rest[2]) };
    }
    const [reason, delay, rpm, tpm] = rest;
    return {
      kind: 'closed',
      reason: reason as NoRoom['reason'],
      delayMs: Number(delay),
      rpm: Number(rpm),
      tpm: Number(tpm),
    };
  }

  /** Takes a call out of the counts that was never sent. */
  async giveBack(project: ShardProject, id: string, day: string): Promise<void> {
    const spec = { id, day, days: this.#days(), shard_count: project.shards.length };
    await this.#db.scripts['return-permit']({ project: this.#keysOf(project) }, [JSON.stringify(spec)]);
  }

  /** Counts a call from now on, as long as its window lasts: it has left. Sent twice, it counts from the second time. */
  async noteDeparture(project: ShardProject, { id, tokens, shard }: DepartedCall): Promise<void> {
    const { keys, scripts } = this.#db;
    const named = { starts: keys.shardStarts(project.id), tokens: keys.shardTokens(project.id) };
    await scripts['note-departure'](named, [id, `${tokens}|${shard}`, 2 * project.heldMs]);
  }

  /** Replaces the estimated tokens of a call by those it had. */
  async settle(project: ShardProject, id: string, tokens: number): Promise<void> {
    const { keys, scripts } = this.#db;
    await scripts['settle-permit']({ tokens: keys.shardTokens(project.id) }, [id, Math.max(0, Math.round(tokens))]);
  }

  /**
   * Puts calls back that Redis has lost.
   * @param permits calls of this process within the last window
   * @returns how many were lost
   */
  async restore(
    project: ShardProject,
    permits: readonly { id: string; ageMs: number; tokens: number; shard: number }[],
  ): Promise<number> {
    const { keys, scripts } = this.#db;
    const rows = permits.map(({ id, ageMs, tokens, shard }) => [id, Math.round(ageMs), `${tokens}|${shard}`]);
    return scripts['restore-permits']({ starts: keys.shardStarts(project.id), tokens: keys.shardTokens(project.id) }, [
      JSON.stringify({ permits: rows, spacing: project.heldMs }),
    ]);
  }

  /**
   * Records a 429.
   * @returns `day-begins`: the new day stays open, because the provider's clock may be late; `clock`: nothing was recorded
   */
  async note429(project: ShardProject, report: QuotaReport) {
    const { keys, scripts } = this.#db;
    const { scope, retryAfterMs, statedLimit, day = '' } = report;
    const { startsAtMs, endsAtMs } = this.#today();
    const call = randomUUID();
    const spec = {
      scope,
      configured: { day: project.rpd, minute: project.rpm, tokens: project.tpm }[scope],
      stated: statedLimit ?? -1,
      wait_ms: Math.ceil(retryAfterMs > 0 ? retryAfterMs : project.heldMs),
      believe_ms: BELIEVE_MS,
      young_ms: Math.round((YOUNG_DAY_MS * (endsAtMs - startsAtMs)) / DAY_MS),
      day,
      call,
      days: this.#days(),
      shard_count: project.shards.length,
    };
    const named = { counters: keys.counters, once: keys.once(call), project: this.#keysOf(project) };
    return scripts['note-quota'](named, [JSON.stringify(spec)]);
  }

  /**
   * Closes a shard whose call failed, for a while that doubles with each failure in a row.
   * @returns that while, ms
   */
  async noteFailure(
    shard: number,
    reason: 'refused' | 'failing',
    message: string,
    [firstMs, longestMs]: readonly [number, number],
  ): Promise<number> {
    const { keys, scripts } = this.#db;
    const call = randomUUID();
    const named = { state: keys.shardState(shard), counters: keys.counters, once: keys.once(call) };
    return scripts['note-shard'](named, [reason, message, firstMs, longestMs, call]);
  }

  async #learn(): Promise<void> {
    const { redis, keys, clock } = this.#db;
    await clock.sync();
    // A user of Redis may lack the right to ask: then Redis counts as old.
    const info = await redis.info('server').catch(() => '');
    const upForS = Number(/^uptime_in_seconds:(\d+)/m.exec(info)?.[1] ?? Infinity);
    const opensAt = clock.now() + (upForS <= YOUNG_REDIS_S ? RESTORE_MS : 0);
    await redis.set(keys.gateEpoch, `${randomUUID()}|${opensAt}`, 'NX');
    this.#epoch = (await redis.get(keys.gateEpoch)) ?? '';
    const opensInMs = Number(this.#epoch.split('|')[1] ?? 0) - clock.now();
    if (opensInMs > 0) await sleep(Math.min(opensInMs, RESTORE_MS), undefined, { ref: false });
  }

  /** Runs a script that needs the day; runs it again if this process did not know Redis' clock yet. */
  async #askWithDays<A extends readonly unknown[]>(run: (days: Day[]) => Promise<A>): Promise<A> {
    for (let round = 0; round < 2; round += 1) {
      const answer = await run(this.#days());
      if (answer[1] !== 'clock') return answer;
      await this.#db.clock.sync();
    }
    throw new Error('Redis tells no day that this machine knows');
  }

  /** Yesterday, today and tomorrow: the script chooses the day by Redis' clock. */
  #days(): Day[] {
    const today = this.#today();
    const around = [this.#dayAt(today.startsAtMs - 1), today, this.#dayAt(today.endsAtMs)];
    return around.map(({ name, startsAtMs, endsAtMs }) => [name, startsAtMs, endsAtMs]);
  }

  #today(): QuotaDay {
    return this.#dayAt(this.#db.clock.now());
  }

  #keysOf({ id, shards }: ShardProject): string[] {
    const { keys } = this.#db;
    return [
      keys.shardProject(id),
      keys.shardStarts(id),
      keys.shardTokens(id),
      ...shards.flatMap(({ number }) => [keys.shardState(number), keys.shardQuota(number), keys.shardStatus(number)]),
    ];
  }

  #toSpec(project: ShardProject, exclude: readonly number[]): object {
    return {
      rpm: project.rpm,
      rpd: project.rpd,
      tpm: project.tpm,
      spacing: project.heldMs,
      unsent: project.unsentMs,
      pacing: this.#pacing ? 1 : 0,
      shards: project.shards.map(({ number, keyDigest = '' }) => [number, exclude.includes(number) ? 0 : 1, keyDigest]),
    };
  }
}
