import { z } from 'zod';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { choice, int, object, several, text } from './fields.ts';

/** `archive`: questions to the archive, which are no tasks. */
const kind = choice(...TASK_KINDS, 'archive');

export const routeSchema = object({
  kind: z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    several(kind, 'a kind, or a list of kinds').optional(),
  ),
  min_prompt_tokens: int(1, 100_000_000).optional(),
  needs: several(choice('tools', 'schema', 'thinking', 'images'), 'a list of abilities').optional(),
  budget: choice('cheap').optional(),
  use: several(text(/^[!-~]{1,200}$/, 'the id of a model'), 'a list of models, the first one first').refine(
    (ids) => new Set(ids).size === ids.length,
    { error: 'expected each model once' },
  ),
});
