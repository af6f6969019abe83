import { UsageError } from '../errors.ts';
import { createFindingStore } from '../findings/store.ts';
import type { FindingStore, FoundFindings, StoredFinding } from '../findings/types.ts';
import { parseForeignId, toForeignId } from './foreign-id.ts';
import type { OtherSwarm, OtherSwarms } from './types.ts';

/**
 * The findings of this swarm and of the others that it reads: `get('ops/finding_…')`, `list`, `find` and `each` with `swarm: 'ops'`.
 * What comes from another swarm names it (`swarm`), and has ids as this one cites them.
 * @throws of each: SwarmRefusedError where the other swarm is not to be read
 */
export function withOtherSwarms(own: FindingStore, others: OtherSwarms): FindingStore {
  return {
    ...own,
    async get(id) {
      const foreign = parseForeignId(id);
      if (foreign === null) return own.get(id);
      const { swarm } = foreign;
      if (others.names().includes(swarm)) return readForeign(others, swarm, (one) => getFrom(one, foreign.id));
      const found = await own.get(id); // other programs may write ids with a slash
      if (found === null && /^(?:finding|archive)[_-]/.test(foreign.id)) await others.open(swarm); // throws its rule
      return found;
    },
    async list(query = {}) {
      const { swarm, ...rest } = query;
      if (swarm === undefined) return own.list(rest);
      return readForeign(others, swarm, async (one) =>
        (await storeOf(one).list(toOwnQuery(swarm, rest))).map((finding) => fromOther(one, finding)),
      );
    },
    async find(words, options = {}) {
      const { swarm, ...rest } = options;
      if (swarm === undefined) return own.find(words, rest);
      return readForeign(others, swarm, async (one) => toForeignFound(one, await storeOf(one).find(words, rest)));
    },
    each(query = {}) {
      const { swarm, ...rest } = query;
      return swarm === undefined ? own.each(rest) : eachOf(others, swarm, toOwnQuery(swarm, rest));
    },
  };
}

/** A finding of another swarm as this one shows it. */
export function fromOther(
  { name, isSimulated }: Pick<OtherSwarm, 'name' | 'isSimulated'>,
  finding: StoredFinding,
): StoredFinding {
  const { summary_id: summaryId } = finding;
  return {
    ...finding,
    finding_id: toForeignId(name, finding.finding_id),
    citations: finding.citations.map((id) => toForeignId(name, id)),
    ...(summaryId === undefined ? {} : { summary_id: toForeignId(name, summaryId) }),
    swarm: name,
    simulated: isSimulated,
  };
}

const storeOf = ({ db }: OtherSwarm): FindingStore => createFindingStore(db);

async function getFrom(swarm: OtherSwarm, id: string): Promise<StoredFinding | null> {
  const finding = await storeOf(swarm).get(id);
  return finding === null ? null : fromOther(swarm, finding);
}

async function* eachOf(
  others: OtherSwarms,
  swarm: string,
  query: Parameters<FindingStore['each']>[0],
): AsyncGenerator<StoredFinding> {
  const one = await others.open(swarm);
  for await (const finding of storeOf(one).each(query)) {
    await others.open(swarm); // it may be shared no longer
    yield fromOther(one, finding);
  }
}

function toForeignFound({ name, isSimulated }: OtherSwarm, found: FoundFindings): FoundFindings {
  const toOne = (one: FoundFindings['found'][number]): typeof one => ({
    ...one,
    id: toForeignId(name, one.id),
    ...(isSimulated ? { simulated: true } : {}),
  });
  return { ...found, found: found.found.map(toOne) };
}

/** A text that is an id of the other swarm, as this one shows it, is looked for as it is there. */
function toOwnQuery<Query extends { text?: string }>(swarm: string, query: Query): Query {
  const foreign = query.text === undefined ? null : parseForeignId(query.text);
  return foreign?.swarm === swarm ? { ...query, text: foreign.id } : query;
}

/** @throws UsageError for what is no name, which a script without types may give */
async function readForeign<T>(others: OtherSwarms, swarm: string, work: (one: OtherSwarm) => Promise<T>): Promise<T> {
  if (typeof swarm !== 'string') throw new UsageError(`swarm: expected a name, got ${JSON.stringify(swarm)}`);
  return others.read(swarm, work);
}
