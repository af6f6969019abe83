/**
 * What outside workers state of their use: the fleet neither made nor measured it. It is in no other sum: no cost, no task of the
 * fleet's models, no saving.
 */
export interface Unmetered {
  /** Tasks that outside workers ended with a finding, also those that state no use. */
  tasks: number;
  inputTokens: number;
  outputTokens: number;
  /** Nano-dollars, as they state it. */
  costNano: number;
}

/** Prefix of the measures in the ledger. `finish-task.lua` writes them. */
const PREFIX = 'unmetered_';
const FIELDS: Readonly<Record<string, keyof Unmetered>> = {
  tasks: 'tasks',
  input: 'inputTokens',
  output: 'outputTokens',
  nano: 'costNano',
};

export function noUnmetered(): Unmetered {
  return { tasks: 0, inputTokens: 0, outputTokens: 0, costNano: 0 };
}

/** Adds a measure of the ledger if it is one of these. @returns whether it is */
export function addUnmetered(sum: Unmetered, measure: string, amount: number): boolean {
  if (!measure.startsWith(PREFIX)) return false;
  const field = FIELDS[measure.slice(PREFIX.length)];
  if (field !== undefined) sum[field] += amount; // another one may be of a later version
  return true;
}

export function sumUnmetered(parts: readonly Unmetered[]): Unmetered {
  return parts.reduce(
    (sum, part) => ({
      tasks: sum.tasks + part.tasks,
      inputTokens: sum.inputTokens + part.inputTokens,
      outputTokens: sum.outputTokens + part.outputTokens,
      costNano: sum.costNano + part.costNano,
    }),
    noUnmetered(),
  );
}
