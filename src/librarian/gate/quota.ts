import type { DayClock, QuotaDay } from './pacific-day.ts';
import type { Db } from '../../redis/db.ts';
import type { QuotaReport, WaitReason } from './types.ts';
import type { ShardProject } from './shard-project.ts';

/** Why a project has no room, and for how long. */
interface Closed {
  reason: WaitReason | 'too-large';
  delayMs: number;
  /** Requests and tokens a window that hold now. */
  rpm: number;
  tpm: number;
}

/** What a project has room for; `reason` is empty and `delayMs` 0 where a call may start. */
export interface ProjectView extends Omit<Closed, 'reason'> {
  project: ShardProject;
  reason: Closed['reason'] | '';
  /** Its public quota key held no number and was put right. */
  repaired: boolean;
}

export type Taking =
  | { kind: 'granted'; shard: number; day: string; left: number }
  | ({ kind: 'closed' } & Closed)
  /** Redis has lost the starts of the last window. */
  | { kind: 'lost' };

export type Refusal = Exclude<Taking, { kind: 'granted' }>;

/** What is taken for one call. */
interface Ask {
  /** The permit's, unique over all processes. */
  id: string;
  tokens: number;
  exclude: readonly number[];
}

/** A limit the provider stated is believed so long; then the configured one is tried again. */
const BELIEVE_MS = 7 * 24 * 3_600_000;
/** A used-up day so soon after midnight is the day before, by the provider's clock. */
const YOUNG_DAY_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;

/** The books of minute, tokens, day and pace, each change one atomic step in Redis by its clock. */
export type Quota = ReturnType<typeof createQuota>;

/** @param pacing spreads what is left of a day over what is left of the day */
export function createQuota(options: { db: Db; dayAt: DayClock; pacing: boolean }) {
  const { dayAt, pacing } = options;
  const { keys, scripts } = options.db;
  let clockAheadMs = 0; // Redis' clock, as far as it is known here
  let epoch = '';

  /** The day before, this one and the next: the script takes the one that it is by Redis' clock. */
  function days(): [string, number, number][] {
    const today = dayAt(Date.now() + clockAheadMs);
    const around = [dayAt(today.startsAtMs - 1), today, dayAt(today.endsAtMs)];
    return around.map(({ name, startsAtMs, endsAtMs }) => [name, startsAtMs, endsAtMs]);
  }

  /** Runs a script that needs to know the day; once more where this machine's clock was days off. */
  async function ask(run: () => Promise<unknown>): Promise<unknown[]> {
    for (let round = 0; round < 2; round += 1) {
      const answer = (await run()) as unknown[];
      clockAheadMs = Number(answer[0]) - Date.now();
      if (answer[1] !== 'clock') return answer;
    }
    throw new Error('Redis tells no day that this machine knows');
  }

  const keysOf = ({ id, shards }: ShardProject): string[] => [
    keys.shardProject(id),
    keys.shardStarts(id),
    keys.shardTokens(id),
    ...shards.flatMap(({ number }) => [keys.shardState(number), keys.shardQuota(number), keys.shardStatus(number)]),
  ];

  const specOf = (project: ShardProject, exclude: readonly number[]) => ({
    rpm: project.rpm,
    rpd: project.rpd,
    tpm: project.tpm,
    spacing: project.heldMs,
    pacing: pacing ? 1 : 0,
    shards: project.shards.map(({ number }) => [number, exclude.includes(number) ? 0 : 1]),
  });

  return {
    /** Looks which projects have room. `turn` goes up by one with every look of every process. */
    async plan(projects: readonly ShardProject[], tokens: number, exclude: readonly number[]) {
      const answer = await ask(() => {
        const specs = projects.map((project) => specOf(project, exclude));
        return scripts['plan-permit'](
          [keys.gateTurn, keys.counters, ...projects.flatMap(keysOf)],
          [JSON.stringify({ tokens, days: days(), projects: specs })],
        );
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
    },

    async take(project: ShardProject, { id, tokens, exclude }: Ask): Promise<Taking> {
      const answer = await ask(() =>
        scripts['take-permit'](
          [keys.counters, keys.gateEpoch, ...keysOf(project)],
          [JSON.stringify({ id, tokens, days: days(), epoch, project: specOf(project, exclude) })],
        ),
      );
      const [, kind, ...rest] = answer;
      if (kind === 'lost') {
        epoch = String(rest[0]);
        return { kind };
      }
      epoch = String(rest.at(-1));
      if (kind === 'granted') {
        return { kind, shard: Number(rest[0]), day: String(rest[1]), left: Number(rest[2]) };
      }
      const [reason, delay, rpm, tpm] = rest;
      return {
        kind: 'closed',
        reason: reason as Closed['reason'],
        delayMs: Number(delay),
        rpm: Number(rpm),
        tpm: Number(tpm),
      };
    },

    async giveBack(project: ShardProject, id: string, day: string): Promise<void> {
      const spec = { id, day, days: days(), shard_count: project.shards.length };
      await scripts['return-permit'](keysOf(project), [JSON.stringify(spec)]);
    },

    async settle(project: ShardProject, id: string, tokens: number): Promise<void> {
      await scripts['settle-permit']([keys.shardTokens(project.id)], [id, Math.max(0, Math.round(tokens))]);
    },

    /** @param permits calls of this process within the last window, `ageMs` old */
    async restore(
      project: ShardProject,
      permits: readonly { id: string; ageMs: number; tokens: number; shard: number }[],
    ): Promise<number> {
      const rows = permits.map(({ id, ageMs, tokens, shard }) => [id, Math.round(ageMs), `${tokens}|${shard}`]);
      const answer = await scripts['restore-permits'](
        [keys.shardStarts(project.id), keys.shardTokens(project.id)],
        [JSON.stringify({ permits: rows, spacing: project.heldMs })],
      );
      return Number(answer);
    },

    /** @returns what became of it */
    async note429(project: ShardProject, info: QuotaReport): Promise<'day-used-up' | 'cooling' | 'day-begins'> {
      const { scope, retryAfterMs, statedLimit, day } = info;
      const configured = { day: project.rpd, minute: project.rpm, tokens: project.tpm }[scope];
      const today: QuotaDay = dayAt(Date.now() + clockAheadMs);
      const answer = await scripts['note-quota'](
        [keys.counters, ...keysOf(project)],
        [
          JSON.stringify({
            scope,
            configured,
            stated: statedLimit ?? -1,
            wait_ms: Math.ceil(retryAfterMs > 0 ? retryAfterMs : project.heldMs),
            believe_ms: BELIEVE_MS,
            young_ms: Math.round((YOUNG_DAY_MS * (today.endsAtMs - today.startsAtMs)) / DAY_MS),
            day: day ?? '',
            days: days(),
            shard_count: project.shards.length,
          }),
        ],
      );
      return answer as 'day-used-up' | 'cooling' | 'day-begins';
    },

    /** @returns how long the shard is left alone, ms */
    async noteFailure(shard: number, reason: string, message: string, firstMs: number, longestMs: number) {
      const args = [reason, message, firstMs, longestMs];
      return Number(await scripts['note-shard']([keys.shardState(shard), keys.counters], args));
    },
  };
}
