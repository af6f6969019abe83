/**
 * The only four reasons for which a plan may give a task to Sonnet, and for which a worker may hand a task back.
 * Source: SPEC, "The three workers".
 */
export const SONNET_REASONS = [
  'complex strategic reasoning',
  'multi-step architectural decisions',
  'guardian-council deliberation',
  'ambiguous requirements',
] as const;

export type SonnetReason = (typeof SONNET_REASONS)[number];
