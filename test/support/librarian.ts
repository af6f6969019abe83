import type { Config } from '../../src/config/environment.ts';
import { requireShards } from '../../src/config/environment.ts';
import { runLibrarian, type RunningLibrarian } from '../../src/librarian/run-librarian.ts';
import { createLogger } from '../../src/process/logger.ts';
import type { ArchiveModel, ArchiveReply, ArchiveRequest } from '../../src/models/archive-model.ts';
import type { TestRedis } from './redis.ts';

export interface ArchiveCall extends ArchiveRequest {
  /** `fallback`, or the shard's number. */
  by: number | 'fallback';
}

type Answer = Partial<ArchiveReply> | { answer: string; citations?: string[] };

/**
 * Providers in this process whose calls a test counts, delays and refuses, for tests of what happens around a call. What
 * happens inside a call is tested over HTTP. An error that `answer` throws is the provider's refusal.
 */
export function createScriptedArchive(answer: (call: ArchiveCall, count: number) => Answer | Promise<Answer>): {
  calls: ArchiveCall[];
  model(by: ArchiveCall['by']): ArchiveModel;
} {
  const calls: ArchiveCall[] = [];
  return {
    calls,
    model: (by) => ({
      async ask(request, { signal }) {
        signal.throwIfAborted();
        const call = { ...request, by };
        calls.push(call);
        return toReply(await answer(call, calls.length), request);
      },
      countTokens: async () => null,
    }),
  };
}

function toReply(answer: Answer, request: ArchiveRequest): ArchiveReply {
  const given =
    'answer' in answer
      ? { text: JSON.stringify({ answer: answer.answer, citations: answer.citations ?? [] }) }
      : answer;
  const input = Math.ceil(Buffer.byteLength(request.system + request.prompt) / 4);
  const usage = { input, cache_write: 0, cache_read: 0, output: 50 };
  return { text: '', finish: 'stop', finishWords: 'STOP', model: request.model, usage, ...given };
}

/** Ids in the order a prompt shows them. */
export function idsShown(request: Pick<ArchiveRequest, 'prompt'>): string[] {
  return [...request.prompt.matchAll(/<finding id="([^"]+)"/g)].map((match) => match[1] ?? '');
}

/** A librarian in this process, closed after the test. */
export async function startLibrarian(
  redis: TestRedis,
  config: Config,
  archive: ReturnType<typeof createScriptedArchive>,
  options: { fallback?: boolean } = {},
): Promise<RunningLibrarian> {
  const librarian = await runLibrarian({
    config,
    shards: requireShards(config),
    models: {
      forShard: (shard) => archive.model(shard.number),
      fallback: options.fallback === true ? archive.model('fallback') : null,
    },
    log: createLogger('test', config.FLEET_LOG_LEVEL),
  });
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= librarian.close());
  redis.cleanup(close);
  return { ...librarian, close };
}

/** Stores findings as other programs do: a key, and nothing else. */
export async function storeExternal(redis: TestRedis, findings: Record<string, object | string>): Promise<void> {
  for (const [id, finding] of Object.entries(findings)) {
    await redis.redis.set(redis.keys.finding(id), typeof finding === 'string' ? finding : JSON.stringify(finding));
  }
}

/** Stores findings and lets the fleet know of them, as a task's end does. */
export async function storeFindings(redis: TestRedis, findings: Record<string, object>): Promise<void> {
  const { keys } = redis;
  for (const [id, finding] of Object.entries(findings)) {
    const at = 'at' in finding && typeof finding.at === 'string' ? Date.parse(finding.at) : Date.now();
    const text = JSON.stringify({ finding_id: id, at: new Date(at).toISOString(), ...finding });
    await redis.redis
      .multi()
      .set(keys.finding(id), text)
      .zadd(keys.index, at, id)
      .incrby(keys.contextActive, Math.ceil(text.length / 4))
      .xadd(keys.events, '*', 'finding', id, 'session', '', 'batch', '', 'topics', '')
      .exec();
  }
}
