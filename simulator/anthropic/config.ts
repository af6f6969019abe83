import { z } from 'zod';
import { faultSchema } from './faults/fault.ts';

/** One number for all models, or one per model. Ms from the request to the answer. */
export type Latency = number | Record<string, number>;

const perMinute = z.number().positive().optional();

/** Limits of one model: see `limits/token-limits.ts`. */
export const tokenLimitsSchema = z.record(
  z.string(),
  z.strictObject({
    requests: perMinute,
    inputTokens: perMinute,
    outputTokens: perMinute,
    burstMs: z.number().positive().optional(),
  }),
);

/** What `POST /__simulator/config` takes. An absent field keeps its value. */
export const configSchema = z.strictObject({
  faults: z.array(faultSchema).optional(),
  latencyMs: z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]).optional(),
  requestsPerMinute: z.record(z.string(), z.int().min(0)).optional(), // by model; an absent model has no limit
  limits: tokenLimitsSchema.optional(), // an absent model has the limits of the rules
  inferenceGeo: z.enum(['us', 'global']).nullable().optional(),
  acceptKeys: z.array(z.string()).nullable().optional(), // null: any non-empty key
  clearLog: z.boolean().optional(),
});
export type SimulatorConfig = z.input<typeof configSchema>;
