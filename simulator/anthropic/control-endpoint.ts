import { z } from 'zod';
import { type Exchange, readBody, sendJson } from '../provider-host/exchange.ts';
import { faultSchema } from './faults/fault.ts';
import type { RequestLog } from './request-log.ts';

/** What `POST /__simulator/config` takes; what is absent stays as it is. */
const configSchema = z.strictObject({
  faults: z.array(faultSchema).optional(),
  latencyMs: z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]).optional(),
  requestsPerMinute: z.record(z.string(), z.int().min(0)).optional(),
  acceptKeys: z.array(z.string()).nullable().optional(), // null: any non-empty key
  clearLog: z.boolean().optional(),
});
export type SimulatorConfig = z.input<typeof configSchema>;

/** Steers and reads a simulator from another process. Answers false for a path that is none of its own. */
export async function answerControl(
  exchange: Exchange,
  url: URL,
  log: RequestLog,
  configure: (config: SimulatorConfig) => void,
): Promise<boolean> {
  switch (`${exchange.req.method} ${url.pathname}`) {
    case 'GET /__simulator/requests': {
      const user = url.searchParams.get('user');
      const records = log.records();
      sendJson(exchange, 200, user === null ? records : records.filter((record) => record.user === user));
      return true;
    }
    case 'GET /__simulator/served':
      sendJson(exchange, 200, log.served());
      return true;
    case 'POST /__simulator/config': {
      const parsed = configSchema.safeParse(parseOrNull(await readBody(exchange.req)));
      if (parsed.success) configure(parsed.data);
      sendJson(exchange, parsed.success ? 200 : 400, parsed.success ? {} : { error: z.prettifyError(parsed.error) });
      return true;
    }
    default:
      return false;
  }
}

function parseOrNull(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null; // the schema says what was expected
  }
}
