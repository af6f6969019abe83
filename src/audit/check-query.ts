import { UsageError } from '../errors.ts';
import { AUDIT_VERBS } from './types.ts';

/** @param text verbs, with commas between them; empty: every one. @throws UsageError for a word that is none */
export function parseVerbs(text: string): string[] {
  const verbs = text
    .split(',')
    .map((verb) => verb.trim())
    .filter((verb) => verb !== '');
  assertVerbs(verbs);
  return verbs;
}

/** @throws UsageError for what is no list, and for a word that is no verb of the audit */
export function assertVerbs(verbs: readonly string[]): void {
  if (!Array.isArray(verbs)) throw new UsageError(`what: expected an array of verbs, got ${typeof verbs}`);
  const unknown = verbs.find((verb) => !AUDIT_VERBS.some((known) => known === verb));
  if (unknown === undefined) return;
  throw new UsageError(`what: expected some of ${AUDIT_VERBS.join(', ')}, got ${JSON.stringify(unknown)}`);
}

/** The id of an entry, where a page of them ended. @throws UsageError for another text */
export function assertCursor(cursor: string): void {
  if (/^\d{1,16}-\d{1,16}$/.test(cursor)) return;
  throw new UsageError(
    `cursor: expected that of the page before, such as 1795000000000-0, got ${JSON.stringify(cursor)}`,
  );
}
