import { z } from 'zod';
import { defineTool } from './tool.ts';
import { SONNET_REASONS } from '../../../queues/reasons.ts';

/** Hands the task back: it ends as failed with reason `handed-back`. */
export const handBackTool = defineTool({
  name: 'hand_back',
  description:
    'Hand the task back when it needs strategic judgement that is not yours. It ends the task; never use it for a task that is merely long or hard to find.',
  input: z.strictObject({
    reason: z.enum(SONNET_REASONS),
    explanation: z.string().min(1).max(4_000).describe('what has to be decided, and what you found out so far'),
  }),
  run: ({ reason, explanation }) =>
    Promise.resolve({ content: 'handed back', isError: false, handBack: { reason, explanation } }),
});
