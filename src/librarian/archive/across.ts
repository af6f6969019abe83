import { SwarmRefusedError } from '../../errors.ts';
import type { OtherSwarm, OtherSwarms } from '../../other-swarms/types.ts';
import { createArchiveContext, sumBytes, toCitable } from './context.ts';
import type { ArchiveContext, ContextRequest, ShownContext, ShownSwarms } from './context.ts';
import type { ArchiveEntry } from './entry.ts';
import { chooseEntries } from './ranking.ts';

/** Texts held in memory of each other swarm, UTF-8 bytes. */
const MAX_HELD_BYTES = 32 * 2 ** 20;
/** Longest wait for what is new in another swarm, ms. What comes later is there for the next question. */
const REFRESH_WITHIN_MS = 10_000;
/** Stands for this swarm and all that it reads. */
const ALL = 'all';

/** The archive of one swarm, and what of it fits the question. Null: this swarm. */
interface Part {
  name: string | null;
  context: ArchiveContext;
  entries: ArchiveEntry[];
}

/**
 * The archive of this swarm and, for questions that ask for them, of the others that it reads. An other swarm is opened at the first
 * such question, and its findings are held like this swarm's own: each question takes in what was stored or retracted there until then.
 * A swarm that cannot be read is left out, and named.
 */
export function createArchiveAcross(
  own: ArchiveContext,
  others: OtherSwarms,
  vendors: readonly string[] = [],
): ArchiveContext {
  const contexts = new Map<string, ArchiveContext>();

  function contextOf(swarm: OtherSwarm): ArchiveContext {
    const { name, db } = swarm;
    const known =
      contexts.get(name) ?? createArchiveContext(db, { maxHeldBytes: MAX_HELD_BYTES, source: swarm, vendors });
    contexts.set(name, known);
    return known;
  }

  /** @throws SwarmRefusedError */
  function readPart(name: string, { filter, reader }: ContextRequest): Promise<Part & { isSimulated: boolean }> {
    return others.read(
      name,
      async (swarm) => {
        const context = contextOf(swarm);
        await context.refresh();
        return { name, context, entries: context.select({ filter, reader }), isSimulated: swarm.isSimulated };
      },
      { withinMs: REFRESH_WITHIN_MS },
    );
  }

  async function showParts(
    request: ContextRequest,
    wanted: readonly string[],
    withOwn: boolean,
  ): Promise<ShownContext> {
    const parts: Part[] = withOwn
      ? [{ name: null, context: own, entries: own.select({ filter: request.filter, reader: request.reader }) }]
      : [];
    const swarms: ShownSwarms = { notRead: [], simulated: [] };
    const read = await Promise.allSettled(wanted.map((name) => readPart(name, request)));
    for (const [i, outcome] of read.entries()) {
      if (outcome.status === 'fulfilled') {
        parts.push(outcome.value);
        if (outcome.value.isSimulated) swarms.simulated.push(outcome.value.name ?? '');
      } else {
        const name = wanted[i] ?? '';
        const refused: unknown = outcome.reason;
        if (!(refused instanceof SwarmRefusedError)) throw refused;
        if (refused.reason !== 'unreachable') contexts.delete(name); // what is shared no longer is held no longer
        swarms.notRead.push({ name, why: refused.message });
      }
    }
    return choose(parts, request, swarms);
  }

  async function choose(parts: readonly Part[], request: ContextRequest, swarms: ShownSwarms): Promise<ShownContext> {
    const { question, maxBytes } = request;
    const fitting = parts.flatMap(({ entries }) => entries);
    const bytes = sumBytes(fitting);
    const chosen = bytes <= maxBytes ? fitting : chooseEntries(fitting, { question, maxBytes });
    const isChosen = new Set(chosen);
    const texts: string[] = [];
    for (const { name, context, entries } of parts) {
      const shown = entries.filter((entry) => isChosen.has(entry));
      const work = (): Promise<string[]> => context.readBlocks(shown);
      texts.push(...(name === null ? await work() : await others.read(name, work)));
    }
    const leftOutCount = fitting.length - chosen.length;
    const shownBytes = sumBytes(chosen);
    return {
      text: texts.join(''),
      ids: new Set(chosen.map(({ id }) => id)),
      citable: toCitable(chosen),
      bytes: shownBytes,
      leftOut: leftOutCount === 0 ? null : { count: leftOutCount, bytes: bytes - shownBytes },
      swarms,
    };
  }

  return {
    ...own,
    async show(request) {
      const swarm = request.filter?.swarm;
      if (swarm === undefined) return own.show(request);
      let wanted = swarm === ALL ? others.names() : [swarm];
      const lost: ShownSwarms['notRead'] = [];
      for (;;) {
        try {
          const shown = await showParts(request, wanted, swarm === ALL);
          const notRead = [...lost, ...(shown.swarms?.notRead ?? [])];
          return { ...shown, swarms: { notRead, simulated: shown.swarms?.simulated ?? [] } };
        } catch (error) {
          if (!(error instanceof SwarmRefusedError)) throw error; // it went away between two reads: without it
          wanted = wanted.filter((name) => name !== error.swarm);
          lost.push({ name: error.swarm, why: error.message });
        }
      }
    },
  };
}
