import type { LeftOutcome, PatchRecord } from '../../types.ts';
import { toShown } from '../person/byte-path.ts';
import type { BlockedPath } from '../person/find-dirty.ts';
import type { LeftPatch } from './types.ts';

export function leave(record: PatchRecord, outcome: LeftOutcome, why: string, paths: string[] = []): LeftPatch {
  return { record, outcome, why, paths, commit: null };
}

/** Names each path once, with its reason. */
export function leaveBlocked(record: PatchRecord, outcome: LeftOutcome, blocked: readonly BlockedPath[]): LeftPatch {
  const lines = new Map(blocked.map(({ path, why }) => [toShown(path), why]));
  const why = [...lines].map(([path, reason]) => `${path} ${reason}`).join('; ');
  return leave(record, outcome, why, [...lines.keys()]);
}
