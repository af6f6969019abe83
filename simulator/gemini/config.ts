import { z } from 'zod';
import { geminiFaultSchema } from './faults/fault.ts';

const limit = z.int().min(0).nullable().optional(); // null: no limit
const limitsSchema = z.strictObject({ rpm: limit, tpm: limit, rpd: limit });

/** What `POST /__simulator/gemini/config` takes. An absent field keeps its value. */
export const geminiConfigSchema = z.strictObject({
  rules: z.enum(['real', 'lenient']).optional(), // at the start `real`
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
  spendUsd: z.number().min(0).nullable().optional(), // of a paid project in any ten minutes; null: no limit
  projects: z.record(z.string(), z.string()).optional(), // key → project; any other key is a project of its own
  paidProjects: z.array(z.string()).optional(),
  acceptKeys: z.array(z.string()).nullable().optional(), // null: any non-empty key
  clock: z.strictObject({ at: z.number().optional(), speed: z.number().positive().optional() }).optional(),
  clearLog: z.boolean().optional(),
  clearCounts: z.boolean().optional(), // of every minute and day, and what was spent
});
export type GeminiConfig = z.input<typeof geminiConfigSchema>;
