import { expect, test } from 'vitest';
import type { RunEntry } from '../../../src/run-record/types.ts';
import { toProvider } from '../../../src/traces/providers.ts';
import { toSpans } from '../../../src/traces/to-spans.ts';
import type { EndedJob } from '../../../src/traces/types.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const AT = 1_800_000_000_000;
const CALL = { kind: 'call', at: AT + 900, turn: '0', model: 'm', input: 100, cached: 80, output: 5 } as const;
const ENTRIES: RunEntry[] = [
  { kind: 'taken', at: AT + 100, by: 'w' },
  { ...CALL, ms: 300, nanoUsd: null, held: 9, error: 'limited: "the prompt"' },
  { kind: 'wait', at: AT + 1_000, reason: 'limited: "the prompt"', until: null },
];

function toJob(more: Partial<EndedJob> = {}): EndedJob {
  return {
    id: 'task-1',
    queue: 'tasks',
    missionId: null,
    batch: null,
    addedAt: AT,
    endedAt: AT + 2_000,
    failure: null,
    findingId: null,
    content: null,
    ...more,
  };
}

const spansOf = (job: EndedJob, swarm = 'a') => toSpans({ swarm, job, providerOf: () => 'p' }, ENTRIES);

test('a mission and what it gave work to are one trace, from the ids alone', () => {
  const [mission] = spansOf(toJob({ id: 'mission-1', queue: 'missions' }));
  const [task, call] = spansOf(toJob({ missionId: 'mission-1' }));
  expect(task).toMatchObject({ traceId: mission?.traceId, parentSpanId: mission?.spanId });
  expect(call).toMatchObject({ traceId: mission?.traceId, parentSpanId: task?.spanId });
  expect(mission).not.toHaveProperty('parentSpanId');
  expect(new Set([mission?.spanId, task?.spanId, call?.spanId]).size).toBe(3);
  expect(spansOf(toJob({ missionId: 'mission-1' }))).toEqual(spansOf(toJob({ missionId: 'mission-1' })));
  expect(spansOf(toJob(), 'b')[0]?.traceId).not.toBe(spansOf(toJob(), 'a')[0]?.traceId);
});

test('a job lasts from its first run, and a call from its beginning; cached tokens are a part of the input', () => {
  const [job, call] = spansOf(toJob());
  expect(job).toMatchObject({ startAt: AT + 100, endAt: AT + 2_000, attributes: { 'fleet.waited_ms': 100 } });
  expect(call).toMatchObject({ startAt: AT + 600, endAt: AT + 900 });
  expect(call?.attributes).toMatchObject({
    'gen_ai.usage.input_tokens': 100,
    'gen_ai.usage.cache_read.input_tokens': 80,
    'gen_ai.usage.output_tokens': 5,
  });
  expect(call?.attributes).not.toHaveProperty('fleet.cost_nano_usd'); // it is uncertain
});

test('texts of others are content, and the rest is not', () => {
  expect(JSON.stringify(spansOf(toJob()))).not.toContain('the prompt');
  const [job, call] = spansOf(toJob({ content: { input: 'do it', output: 'done' } }));
  expect(call?.failure).toBe('limited: "the prompt"');
  expect(job?.events.at(-1)?.attributes).toEqual({ 'fleet.reason': 'limited: "the prompt"' });
  expect(JSON.parse(String(job?.attributes['gen_ai.output.messages']))).toEqual([
    { role: 'assistant', parts: [{ type: 'text', content: 'done' }], finish_reason: 'stop' },
  ]);
});

test('providers have the names of the conventions', () => {
  const catalog = createCatalog([]);
  const nameOf = (model: string): string => toProvider(catalog, model, new Date());
  expect([nameOf('claude-haiku-5-5'), nameOf('gemini-3.5-flash-lite'), nameOf('no-such-model')]).toEqual([
    'anthropic',
    'gcp.gemini',
    '_OTHER',
  ]);
});
