import { SwarmRefusedError } from '../errors.ts';
import { isOfShard, mayRead } from '../findings/marks.ts';
import type { FindingStore } from '../findings/types.ts';
import { parseForeignId } from '../other-swarms/foreign-id.ts';
import type { FindingReader } from './tools/tool.ts';

/**
 * What a task may read: the findings of its own memory shard; of a task without one, those that belong to none; and nothing that
 * may not go where the task's own finding may.
 */
export function toFindingReader(
  findings: FindingStore,
  shard: string | null,
  reader: readonly string[] | null,
): FindingReader {
  return {
    async get(id) {
      requireNoShard(shard, parseForeignId(id)?.swarm);
      const finding = await findings.get(id);
      return finding !== null && isOfShard(finding, shard) && mayRead(reader, finding) ? finding : null;
    },
    async find(query, { swarm, ...options }) {
      requireNoShard(shard, swarm);
      return findings.find(query, { ...options, shard, reader, ...(swarm === undefined ? {} : { swarm }) });
    },
  };
}

/** A task of a memory shard reads what belongs to it: another swarm has another one of the same name. @throws SwarmRefusedError */
function requireNoShard(shard: string | null, swarm: string | undefined): void {
  if (shard === null || swarm === undefined) return;
  throw new SwarmRefusedError(
    swarm,
    'not-read-here',
    `swarm ${swarm} is not read here: this task belongs to memory shard ${shard} and reads only its findings`,
  );
}
