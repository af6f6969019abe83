import type { RunEntry } from '../run-record/types.ts';
import { toSpanId, toTraceId } from './trace-ids.ts';
import type { Attributes, EndedJob, Span } from './types.ts';

/** Who works the jobs of a queue. */
const AGENTS: Record<string, string> = { tasks: 'worker', archive: 'librarian', missions: 'coordinator' };

type CallEntry = Extract<RunEntry, { kind: 'call' }>;
type ToolEntry = Extract<RunEntry, { kind: 'tool' }>;

interface Context {
  swarm: string;
  job: EndedJob;
  /** The name of a model's provider in the conventions. */
  providerOf(model: string): string;
}

/**
 * Makes the spans of one job from its record: the job is an `invoke_agent`, its calls are `chat`, its tools `execute_tool`, and what
 * else happened are events of the job. Names and attributes: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/
 */
export function toSpans(context: Context, entries: readonly RunEntry[]): Span[] {
  const parts = entries.flatMap((entry, i) => {
    if (entry.kind === 'call') return [toCallSpan(context, entry, `call ${i} ${entry.at}`)];
    if (entry.kind === 'tool') return [toToolSpan(context, entry, `tool ${i} ${entry.at}`)];
    return [];
  });
  return [toJobSpan(context, entries), ...parts];
}

function toJobSpan({ swarm, job }: Context, entries: readonly RunEntry[]): Span {
  const { id, queue, missionId, batch, addedAt, endedAt, failure, findingId, content } = job;
  const agent = AGENTS[queue] ?? queue;
  const startAt = Math.min(entries.find(({ kind }) => kind === 'taken')?.at ?? addedAt, endedAt);
  return {
    traceId: toTraceId(swarm, missionId ?? id),
    spanId: toSpanId(swarm, id),
    ...(missionId === null ? {} : { parentSpanId: toSpanId(swarm, missionId) }),
    name: `invoke_agent ${agent}`,
    kind: 'internal',
    startAt,
    endAt: Math.max(endedAt, entries.at(-1)?.at ?? 0),
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': agent,
      'gen_ai.conversation.id': id,
      'fleet.swarm': swarm,
      'fleet.queue': queue,
      'fleet.waited_ms': Math.max(0, startAt - addedAt),
      ...(batch === null ? {} : { 'fleet.batch': batch }),
      ...(missionId === null ? {} : { 'fleet.mission': missionId }),
      ...(findingId === null ? {} : { 'fleet.finding': findingId }),
      ...(failure === null ? {} : { 'error.type': failure }),
      ...(content === null ? {} : toMessages(content)),
    },
    events: entries.flatMap((entry) => toEvent(entry, content !== null)),
    failure: failure === null ? null : '',
  };
}

/** Of a prompt, cached tokens are a part of the input tokens, and counted there once. */
function toCallSpan({ swarm, job, providerOf }: Context, entry: CallEntry, part: string): Span {
  const { at, ms, turn, model, input, cached, output, nanoUsd, error } = entry;
  return {
    ...toChild(swarm, job, part),
    name: `chat ${model}`,
    kind: 'client',
    startAt: at - ms,
    endAt: at,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': providerOf(model),
      'gen_ai.request.model': model,
      'gen_ai.conversation.id': job.id,
      'gen_ai.usage.input_tokens': input,
      'gen_ai.usage.cache_read.input_tokens': cached,
      'gen_ai.usage.output_tokens': output,
      'fleet.turn': turn,
      ...(nanoUsd === null ? {} : { 'fleet.cost_nano_usd': nanoUsd }),
      ...(error === null ? {} : { 'error.type': '_OTHER' }),
    },
    events: [],
    failure: toFailure(job, error),
  };
}

function toToolSpan({ swarm, job }: Context, { at, ms, name, args, error }: ToolEntry, part: string): Span {
  return {
    ...toChild(swarm, job, part),
    name: `execute_tool ${name}`,
    kind: 'internal',
    startAt: at - ms,
    endAt: at,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
      'gen_ai.tool.type': 'function',
      ...(job.content === null ? {} : { 'gen_ai.tool.call.arguments': args }),
      ...(error === null ? {} : { 'error.type': '_OTHER' }),
    },
    events: [],
    failure: toFailure(job, error),
  };
}

function toChild(swarm: string, job: EndedJob, part: string): Pick<Span, 'traceId' | 'spanId' | 'parentSpanId'> {
  return {
    traceId: toTraceId(swarm, job.missionId ?? job.id),
    spanId: toSpanId(swarm, job.id, part),
    parentSpanId: toSpanId(swarm, job.id),
  };
}

/** A provider's error may quote the prompt. */
function toFailure({ content }: EndedJob, error: string | null): string | null {
  return error !== null && content === null ? '' : error;
}

function toEvent(entry: RunEntry, withContent: boolean): Span['events'] {
  const { kind, at } = entry;
  if (kind === 'call' || kind === 'tool') return [];
  const { kind: _kind, at: _at, ...fields } = entry;
  const told = Object.entries(fields).filter(([, value]) => value !== null) as [string, string | number][];
  const attributes = withContent ? Object.fromEntries(told.map(([name, value]) => [`fleet.${name}`, value])) : {};
  return [{ at, name: `fleet.${kind}`, attributes }];
}

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/: JSON where attributes are flat. */
function toMessages({ input, output }: { input: string; output: string | null }): Attributes {
  const toText = (role: string, content: string, more: object = {}): string =>
    JSON.stringify([{ role, parts: [{ type: 'text', content }], ...more }]);
  return {
    'gen_ai.input.messages': toText('user', input),
    ...(output === null ? {} : { 'gen_ai.output.messages': toText('assistant', output, { finish_reason: 'stop' }) }),
  };
}
