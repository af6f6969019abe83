import { z } from 'zod';
import { chatFaultSchema } from './faults/fault.ts';

const perMinute = z.number().positive().optional();

/** Limits of one model: see `limits/chat-limits.ts`. */
const chatLimitsSchema = z.record(
  z.string(),
  z.strictObject({ requests: perMinute, tokens: perMinute, burstMs: z.number().positive().optional() }),
);

/** What `POST /__simulator/openai/config` takes. An absent field keeps its value. */
export const chatConfigSchema = z.strictObject({
  faults: z.array(chatFaultSchema).optional(),
  latencyMs: z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]).optional(),
  limits: chatLimitsSchema.optional(), // an absent model has its usual limits
  acceptKeys: z.array(z.string()).nullable().optional(), // null: any non-empty key
  clearLog: z.boolean().optional(),
});
export type ChatConfig = z.input<typeof chatConfigSchema>;
