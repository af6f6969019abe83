import type { ShardConfig } from '../../config/shards.ts';

/** The configured shards as the projects of a simulated Gemini, with their limits. */
export function toSimulatedShards(shards: readonly ShardConfig[]) {
  const project = ({ number, project: named }: ShardConfig): string => named ?? `shard-${number}`;
  return {
    projects: Object.fromEntries(shards.map((shard) => [shard.apiKey, project(shard)])),
    paidProjects: shards.filter(({ tier }) => tier === 'paid').map(project),
    limits: {
      byProject: Object.fromEntries(shards.map((shard) => [project(shard), toLimits(shard)])),
      windowMs: shards[0]?.windowMs ?? 60_000,
    },
  };
}

function toLimits({ rpm, tpm, rpd }: ShardConfig): { rpm: number; tpm: number; rpd: number } {
  return { rpm, tpm, rpd };
}
