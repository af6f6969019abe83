import type { StoredFinding } from '../../findings/types.ts';

/** What stands before the first line of a finding that is not live: retracted, or summed up in another one. */
export function toMark({ status }: StoredFinding): string {
  return status === 'retracted' || status === 'condensed' ? `${status.toUpperCase()}  ` : '';
}
