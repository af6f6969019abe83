import type { ShardReport } from './types.ts';

/** `4 of 5 shards work; S3: API key not valid`. */
export function describeReport({ shards }: ShardReport): string {
  if (shards.length === 0) return 'no shard is configured (GEMINI_API_KEY_SHARD1)';
  const failing = shards.filter(({ ok }) => !ok).map(({ shard, problem }) => `S${shard}: ${problem ?? 'no answer'}`);
  const working = `${shards.length - failing.length} of ${shards.length} shards work`;
  return [working, ...failing].join('; ');
}
