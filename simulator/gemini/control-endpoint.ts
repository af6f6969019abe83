import { z } from 'zod';
import { type Exchange, readBody, sendJson } from '../provider-host/exchange.ts';
import type { ContentLog, ContentRecord } from './content-log.ts';
import { geminiFaultSchema } from './faults/fault.ts';
import type { ProjectLimits } from './quota/project-limits.ts';

const limit = z.int().min(0).nullable().optional();
const limitsSchema = z.strictObject({ rpm: limit, tpm: limit, rpd: limit });

/** What `POST /__simulator/gemini/config` takes; what is absent stays as it is. */
export const geminiConfigSchema = z.strictObject({
  faults: z.array(geminiFaultSchema).optional(),
  latencyMs: z.number().min(0).optional(),
  limits: z
    .strictObject({
      all: limitsSchema.optional(),
      byProject: z.record(z.string(), limitsSchema).optional(),
      minute: z.enum(['sliding', 'calendar']).optional(),
      windowMs: z.int().min(1).optional(),
    })
    .optional(),
  projects: z.record(z.string(), z.string()).optional(), // key → project; a key that is not named is a project of its own
  paidProjects: z.array(z.string()).optional(),
  acceptKeys: z.array(z.string()).nullable().optional(), // null: any non-empty key
  clock: z.strictObject({ at: z.number().optional(), speed: z.number().positive().optional() }).optional(),
  clearLog: z.boolean().optional(),
  clearCounts: z.boolean().optional(), // every minute and day begins anew
});
export type GeminiConfig = z.input<typeof geminiConfigSchema>;

/** Steers and reads the Gemini side from another process. Answers false for a path that is none of its own. */
export async function answerGeminiControl(
  exchange: Exchange<ContentRecord>,
  path: string,
  state: { log: ContentLog; limits: ProjectLimits },
  configure: (config: GeminiConfig) => void,
): Promise<boolean> {
  switch (`${exchange.req.method} ${path}`) {
    case 'GET /__simulator/gemini/requests':
      sendJson(exchange, 200, state.log.records());
      return true;
    case 'GET /__simulator/gemini/served':
      sendJson(exchange, 200, state.log.served());
      return true;
    case 'GET /__simulator/gemini/counts':
      sendJson(exchange, 200, state.limits.counts());
      return true;
    case 'POST /__simulator/gemini/config': {
      const parsed = geminiConfigSchema.safeParse(parseOrNull(await readBody(exchange.req)));
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
