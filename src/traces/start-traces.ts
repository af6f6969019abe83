import type { Job, Worker } from 'bullmq';
import type { Config } from '../config/environment.ts';
import { createRedactor } from '../config/redact.ts';
import { readVersion } from '../config/package-folder.ts';
import type { Logger } from '../process/logger.ts';
import { createThrottledWarning } from '../process/throttled-log.ts';
import { catalogOf } from '../pricing/catalog.ts';
import type { Db } from '../redis/db.ts';
import { orIfDamaged } from '../redis/errors/or-if-damaged.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { readRun } from '../run-record/read-run.ts';
import { createExporter, type Exporter } from './exporter.ts';
import { toProvider } from './providers.ts';
import { toSpans } from './to-spans.ts';
import type { EndedJob } from './types.ts';

/** So long a process that ends still sends what it has. */
const CLOSE_MS = 3_000;
/** Longest text of a task or an answer in a span, UTF-16 code units. */
const MOST_CONTENT = 50_000;

/** Keys that the configuration does not hold, by their shape. */
const redactShapes = createRedactor([]);

export interface TraceParts {
  db: Db;
  worker: Pick<Worker, 'on'>;
  config: Config;
  workerId: string;
  log: Logger;
}

/**
 * Sends a trace of each job that ends here, where `OTEL_EXPORTER_OTLP_ENDPOINT` names a receiver. The record of the job has what its runs
 * did, also in other processes. A process that dies between the end of a job and its trace loses that trace, and nothing else.
 * @returns what stops it
 */
export function startTraces(parts: TraceParts): () => Promise<void> {
  const { config, workerId, log, worker, db } = parts;
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return () => Promise.resolve();
  const exporter = createExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS,
    sender: { serviceName: config.OTEL_SERVICE_NAME, version: readVersion(), workerId },
    log,
  });
  const warn = createThrottledWarning(log, 'a trace was not made');
  const reading = new Set<Promise<void>>();
  const providerOf = (model: string): string => toProvider(catalogOf(config), model, db.clock.date());

  const trace = (job: Job, failedReason: string | null): void => {
    const sent = sendTrace(parts, exporter, { job, failedReason, providerOf })
      .catch(warn)
      .finally(() => reading.delete(sent));
    reading.add(sent);
  };
  worker.on('completed', (job: Job) => trace(job, null));
  worker.on('failed', (job: Job | undefined, error: Error) => {
    if (job?.finishedOn !== undefined) trace(job, error.message);
  });
  return async () => {
    await Promise.all(reading);
    await exporter.close(CLOSE_MS);
  };
}

async function sendTrace(
  { db, config }: TraceParts,
  exporter: Exporter,
  { job, failedReason, providerOf }: { job: Job; failedReason: string | null; providerOf(model: string): string },
): Promise<void> {
  const entries = await readRun(db, job.id ?? '');
  const ended = await toEndedJob(db, job, { failedReason, withContent: config.FLEET_OTEL_CONTENT === '1' });
  exporter.add(toSpans({ swarm: db.keys.swarm, job: ended, providerOf }, entries));
}

async function toEndedJob(
  db: Db,
  job: Job,
  { failedReason, withContent }: { failedReason: string | null; withContent: boolean },
): Promise<EndedJob> {
  const { id = '', queueName: queue, timestamp, finishedOn } = job;
  const data = job.data as Record<string, unknown>;
  const findingId = toText(Reflect.get(Object(job.returnvalue) as object, 'findingId'));
  const input = toText(data['description'] ?? data['question'] ?? data['goal']) ?? '';
  const output = withContent && findingId !== null ? await readResult(db, findingId) : null;
  return {
    id,
    queue,
    missionId: toText(data['mission_id']),
    batch: toText(data['batch']),
    addedAt: timestamp,
    endedAt: finishedOn ?? db.clock.now(),
    failure: failedReason === null ? null : (/^([a-z][a-z0-9-]*):/.exec(failedReason)?.[1] ?? '_OTHER'),
    findingId,
    content: withContent ? { input: toShown(db, input), output: output === null ? null : toShown(db, output) } : null,
  };
}

async function readResult({ redis, keys }: Db, findingId: string): Promise<string | null> {
  const text = await orIfDamaged(redis.get(keys.finding(findingId)), null);
  const result: unknown = Reflect.get(parseRecord(text) ?? {}, 'result');
  if (result === undefined || result === null) return null;
  return typeof result === 'string' ? result : JSON.stringify(result);
}

function toShown({ redact }: Db, text: string): string {
  return redactShapes(redact(text)).slice(0, MOST_CONTENT);
}

function toText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
