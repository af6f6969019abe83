import { toSummary } from '../findings/stored.ts';
import { toFiring, toTaskId, type FireOutcome } from './fire.ts';
import type { SeenFinding } from './past.ts';
import { parseRule, toRecordText, type CheckedRule } from './record.ts';
import type { LoadedRule } from './store.ts';
import type { RuleTrial } from './types.ts';

export function toTrial(rule: LoadedRule, seen: SeenFinding, outcome: FireOutcome): RuleTrial {
  const { chain, input } = toFiring(rule, seen);
  const { at } = seen.finding;
  return {
    finding: seen.id,
    at,
    summary: toSummary(seen.finding),
    outcome,
    taskId: toTaskId(rule.name, seen.id),
    depth: chain.length,
    description: input.description,
  };
}

/** A rule as it would be loaded once it was stored under this name. */
export function toUnsaved(name: string, rule: CheckedRule, client: string | undefined): LoadedRule {
  const stored = parseRule(name, { record: toRecordText(rule, client) });
  if (stored === null) throw new TypeError(`rule ${name}: what was checked cannot be read`);
  return { ...stored, version: '', isPaused: false, problem: null, cursor: '0-0', cursorAt: 0, past: null };
}

/** Decides what the rule would do, one finding after the other; its budget is left out. */
export function createTrials(rule: LoadedRule): (seen: SeenFinding, isKnown: boolean) => FireOutcome {
  let fires = 0;
  return (seen, isKnown) => {
    if (isKnown) return 'known';
    if (toFiring(rule, seen).chain.length > rule.maxDepth) return 'parked';
    if (rule.oncePer !== 'finding' && fires > 0) return 'once';
    if (rule.maxPerDay !== null && fires >= rule.maxPerDay) return 'max';
    fires += 1;
    return 'fires';
  };
}
