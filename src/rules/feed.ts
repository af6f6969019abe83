import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { toMessage } from '../errors.ts';
import { undefinedOnAbort } from '../process/abort.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import type { Firer } from './fire.ts';
import { isMatch, mayMatch } from './match.ts';
import { beginPast, readPast, readSeen, toKnownId, type Past, type SeenFinding } from './past.ts';
import { isAfter, isTrimmed, readBounds, toMs } from './place.ts';
import { loadRules, type LoadedRule } from './store.ts';

/** Entries of one read. */
const CHUNK = 500;
/** Longest block of one read: a rule that is to look at the past begins after it. */
const BLOCK_MS = 1_000;
/** Another swarm is asked so often, because its connection serves others, too. */
const POLL_MS = 500;
/** How often the rules are read anew if they have changed and no message told so. */
const LOOK_EVERY_MS = 2_000;
const RETRY_MS = 1_000;
/** A finding's instant is of the process that stored it, which had Redis' time a moment before; a later one is noted apart. */
const LATE_MS = 5_000;
const TRIM_EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Where the events of a swarm are read. */
interface Source {
  db: Db;
  /** A connection of its own, which may block. Null: the swarm is asked at intervals. */
  reader: Redis | null;
}

interface FeedParts {
  /** Of the own swarm, which holds the rules. */
  db: Db;
  firer: Firer;
  log: Pick<Logger, 'warn' | 'info'>;
  /** Name of another swarm whose findings are watched. Undefined: the own one. */
  swarm: string | undefined;
  /** Opens it, or checks again that it may be read. */
  open(): Promise<Source>;
  /** Called with all rules whenever they were read. */
  onRules(rules: readonly LoadedRule[]): void;
  signal: AbortSignal;
}

/** An entry of the event stream that reports a finding. */
interface FindingEvent {
  event: string;
  id: string;
  session: string;
  topics: string;
}

/**
 * Lets the rules that watch one swarm see its findings as they come, each from its own place on, and those of before that it is
 * still to look at: since when it was told to, or since its place where the stream was trimmed.
 *
 * Delivery contract: a place is noted after the tasks up to it are added. The process may die at any line: the next one looks at
 * some findings again, and a pair fires once.
 */
export class Feed {
  readonly #parts: FeedParts;
  #rules: LoadedRule[] = [];
  #version: string | null = null;
  #isDirty = true;
  #lookedAt = -Infinity;
  #trimmedAt = -Infinity;
  #problem = '';

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** The rules were changed. */
  touch(): void {
    this.#isDirty = true;
  }

  /** Runs until the signal fires. */
  async run(): Promise<void> {
    const { signal, log, swarm } = this.#parts;
    while (!signal.aborted) {
      try {
        await this.#look();
        if (this.#active.length === 0) {
          await this.#pause(BLOCK_MS);
          continue;
        }
        await this.#step(await this.#parts.open());
        await this.#noteProblem('');
      } catch (error) {
        if (signal.aborted) return;
        const problem = `${swarm === undefined ? 'findings' : `swarm ${swarm}`} cannot be read: ${toMessage(error)}`;
        if (problem !== this.#problem) log.warn({ error, swarm }, 'rules wait; it is tried again');
        await this.#noteProblem(problem).catch(() => undefined);
        this.#isDirty = true;
        await this.#pause(RETRY_MS);
      }
    }
  }

  get #active(): LoadedRule[] {
    return this.#rules.filter(({ isPaused }) => !isPaused);
  }

  /** Reads the rules, if they may have changed, and adds the tasks that another process had noted before it died. */
  async #look(): Promise<void> {
    const { db, firer, swarm, onRules } = this.#parts;
    const isDue = performance.now() - this.#lookedAt > LOOK_EVERY_MS;
    if (!this.#isDirty && !isDue) return;
    this.#lookedAt = performance.now();
    if (swarm === undefined && (await db.redis.hlen(db.keys.rulesPending)) > 0) await firer.addPending();
    const version = await db.redis.get(db.keys.rulesVersion);
    if (!this.#isDirty && version === this.#version) return;
    this.#isDirty = false;
    this.#version = version;
    const all = await loadRules(db);
    this.#rules = all.filter((rule) => rule.match.swarm === swarm);
    onRules(all);
  }

  async #step(source: Source): Promise<void> {
    const rules = this.#active;
    const from = rules.map(({ cursor }) => cursor).reduce((a, b) => (isAfter(a, b) ? b : a));
    const isBehind = rules.some(({ past }) => past !== null);
    const { events, last } = await this.#read(source, from, isBehind);
    if (this.#parts.signal.aborted) return;
    const [bounds, seen] = await Promise.all([readBounds(source.db), this.#readFindings(source, rules, events)]);
    const moved: LoadedRule[] = [];
    for (const rule of rules) {
      const isLost = isTrimmed(bounds, rule.cursor);
      if (isLost) this.#lookBack(rule);
      const mine = events.filter((event) => isAfter(event.event, rule.cursor) && mayMatch(rule.match, event));
      const done = await this.#fire(
        rule,
        mine.flatMap(({ id }) => seen.get(id) ?? []),
      );
      if (!done) continue;
      const to = last ?? (isLost && bounds.first === null ? bounds.last : rule.cursor);
      if (!isLost && !isAfter(to, rule.cursor)) continue;
      if (isAfter(to, rule.cursor)) rule.cursor = to;
      moved.push(rule);
    }
    await this.#notePlaces(moved, true);
    await this.#stepPast(source);
    await this.#trimArrivals();
  }

  async #read(
    { db, reader }: Source,
    from: string,
    isBusy: boolean,
  ): Promise<{ events: FindingEvent[]; last: string | null }> {
    const { signal } = this.#parts;
    const block = reader === null || isBusy ? null : BLOCK_MS;
    const { events } = db.keys;
    const reading =
      block === null
        ? (reader ?? db.redis).xread('COUNT', CHUNK, 'STREAMS', events, from)
        : (reader ?? db.redis).xread('COUNT', CHUNK, 'BLOCK', block, 'STREAMS', events, from);
    const found = (await undefinedOnAbort(reading, signal)) ?? [];
    const entries = found[0]?.[1] ?? [];
    if (entries.length === 0 && reader === null && !isBusy) await this.#pause(POLL_MS);
    return { events: entries.flatMap(toEvent), last: entries.at(-1)?.[0] ?? null };
  }

  /** Reads the findings that some rule may fit, once for all. */
  async #readFindings(
    { db }: Source,
    rules: readonly LoadedRule[],
    events: readonly FindingEvent[],
  ): Promise<Map<string, SeenFinding>> {
    const wanted = events.filter((event) =>
      rules.some(({ cursor, match }) => isAfter(event.event, cursor) && mayMatch(match, event)),
    );
    const seen = await readSeen(db, [...new Set(wanted.map(({ id }) => id))]);
    return new Map(seen.map((one) => [one.id, one]));
  }

  /** @returns false: the rule was changed meanwhile, and is to see them again */
  async #fire(rule: LoadedRule, findings: readonly SeenFinding[]): Promise<boolean> {
    const fit = findings
      .filter(({ finding }) => isMatch(rule.match, finding))
      .map(({ id, finding }) => ({ id: toKnownId(this.#parts.swarm, id), finding }));
    if (fit.length === 0) return true;
    const isDone = (await this.#parts.firer.fire(rule, fit)) !== null;
    if (!isDone) this.#isDirty = true;
    return isDone;
  }

  /** Events after the rule's place were trimmed before they were read: the indexes by time hold their findings. */
  #lookBack(rule: LoadedRule): void {
    const since = Math.max(0, Math.min(toMs(rule.cursor), rule.cursorAt || Infinity) - LATE_MS);
    this.#parts.log.info({ rule: rule.name, since }, 'events were trimmed; the rule looks through the indexes');
    rule.past = rule.past === null ? beginPast(since) : beginPast(Math.min(rule.past.at, since));
  }

  /** Looks at one page of the past, for one rule. */
  async #stepPast({ db }: Source): Promise<void> {
    const rule = this.#active.find(({ past }) => past !== null);
    if (rule?.past === undefined || rule.past === null) return;
    const { findings, next } = await readPast(db, rule.past);
    if (!(await this.#fire(rule, findings))) return;
    rule.past = next;
    await this.#notePlaces([rule], false);
  }

  async #notePlaces(rules: readonly LoadedRule[], withCursor: boolean): Promise<void> {
    if (rules.length === 0) return;
    const { keys, scripts } = this.#parts.db;
    const count = await scripts['note-places']({ places: rules.map(({ name }) => keys.rule(name)) }, [
      JSON.stringify(
        rules.map(({ version, cursor, past }) => ({
          version,
          ...(withCursor ? { cursor } : {}),
          past: past === null ? '' : JSON.stringify(past satisfies Past),
        })),
      ),
    ]);
    if (count < rules.length) this.#isDirty = true;
  }

  async #noteProblem(problem: string): Promise<void> {
    if (problem === this.#problem) return;
    this.#problem = problem;
    const { keys, scripts } = this.#parts.db;
    const rules = this.#active;
    if (rules.length === 0) return;
    await scripts['note-places']({ places: rules.map(({ name }) => keys.rule(name)) }, [
      JSON.stringify(rules.map(({ version }) => ({ version, problem }))),
    ]);
  }

  /** Forgets arrivals that each rule has looked at. */
  async #trimArrivals(): Promise<void> {
    const { db, swarm } = this.#parts;
    if (swarm !== undefined || performance.now() - this.#trimmedAt < TRIM_EVERY_MS) return;
    this.#trimmedAt = performance.now();
    const oldest = Math.min(...this.#rules.map(({ cursor, past }) => Math.min(toMs(cursor), past?.from ?? Infinity)));
    await db.redis.zremrangebyscore(db.keys.arrivals, '-inf', oldest - HOUR_MS);
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#parts.signal }).catch(() => undefined);
  }
}

function toEvent([event, fields]: [id: string, fields: string[]]): FindingEvent[] {
  const entry = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) entry.set(fields[i] ?? '', fields[i + 1] ?? '');
  const id = entry.get('finding');
  if (id === undefined || id === '') return [];
  return [{ event, id, session: entry.get('session') ?? '', topics: entry.get('topics') ?? '' }];
}
