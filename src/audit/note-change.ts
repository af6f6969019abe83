import { randomUUID } from 'node:crypto';
import { createRedactor, type Redact } from '../config/redact.ts';
import type { Actor } from '../../queues/owner.ts';
import type { Db } from '../redis/db.ts';
import { startOf } from '../text/start-of.ts';
import { toOneLine } from '../text/one-line.ts';
import { toWellFormedJson } from '../text/well-formed.ts';
import type { AuditFields, AuditValue, Change } from './types.ts';

/** Longest text of a value, UTF-16 code units. */
const LONGEST = 200;
/** Ids that an entry names; further ones are counted. */
const NAMED = 10;

/** Of what a person may paste: a key that this process does not know. */
const withoutKeys = createRedactor([]);

/** The same swarm, changed on behalf of this actor. */
export function actingAs(db: Db, actor: Actor): Db {
  return { ...db, actor };
}

/**
 * Notes a change in the audit, on behalf of the actor of `db`. Call it where the change is made, right after its one step is stored; one
 * of several steps is made in `withAudit`. Without an actor it notes nothing: what the fleet does by itself is in its monitor and in the
 * logs of jobs. It never throws: the change is made, and where it cannot be noted the actor is told so.
 */
export async function noteChange(db: Db, change: Change): Promise<void> {
  try {
    await addEntry(db, change, null);
  } catch (error) {
    tellLost(db, change.what, error);
  }
}

/** @param replaced id of the entry that it replaces; null: none. @returns its own id; null: `db` acts for nobody */
export async function addEntry(
  { actor, keys, scripts, redact }: Db,
  { what, about = {}, before = null, after = null }: Change,
  replaced: string | null,
): Promise<string | null> {
  if (actor === undefined) return null;
  const call = randomUUID();
  const [of, from, to] = [about, before, after].map((fields) => toText(fields, redact));
  return scripts['note-change']({ audit: keys.audit, once: keys.once(call) }, [
    call,
    replaced ?? '',
    toValue(actor.who, redact),
    actor.from,
    actor.client ?? '',
    what,
    of ?? '',
    from ?? '',
    to ?? '',
  ]);
}

/** Tells the actor that a change is made and its entry is not there. */
export function tellLost({ actor }: Db, what: Change['what'], error: unknown): void {
  const problem = `the change (${what}) is made, and could not be noted in the audit`;
  if (actor?.onLost === undefined) process.emitWarning(problem);
  else actor.onLost(problem, error);
}

/** The ids of an entry: the first of them, and how many there are. */
export function toNamed(ids: readonly string[]): { ids: readonly string[]; count: number } {
  return { ids: ids.slice(0, NAMED), count: ids.length };
}

function toText(fields: AuditFields | null, redact: Redact): string {
  if (fields === null) return '';
  const values = Object.entries(fields).map(([name, value]) => [name, cut(value, redact)]);
  return toWellFormedJson(Object.fromEntries(values) as object);
}

function cut(value: AuditValue, redact: Redact): AuditValue {
  if (typeof value === 'string') return toValue(value, redact);
  return Array.isArray(value) ? value.slice(0, NAMED).map((item: string) => toValue(item, redact)) : value;
}

/** Secrets go before the cut, which could leave a part of one. */
function toValue(text: string, redact: Redact): string {
  const line = toOneLine(withoutKeys(redact(text)), LONGEST + 1);
  return line.length <= LONGEST ? line : `${startOf(line, LONGEST - 1)}…`;
}
