import type { Actor } from '../../queues/owner.ts';

/**
 * What people and clients change, in the words of `fleet audit`. To add work (a task, a question, a mission) is no change; to let
 * work start that waited for a decision is one. An entry of a newer process may hold another word: it is shown as it is.
 */
export const AUDIT_VERBS = [
  'halt',
  'resume', // lifts a halt
  'budget',
  'session',
  'cancel',
  'retry',
  'edit', // a job's data
  'run', // a mission's plan
  'answer', // a mission's question
  'park',
  'resume-mission',
  'rule-add',
  'rule-pause',
  'rule-resume',
  'rule-remove',
  'rule-replay',
  'chains-release',
  'chains-drop',
  'retract',
  'import',
  'forget', // what is kept of a job for people
  'apply',
  'discard',
  'undo',
  'prune', // working trees of tasks
  'context-load',
  'context-remove',
  'token-add',
  'token-remove',
  'settle', // calls of uncertain cost
  'bridge-take',
  'queue-pause',
  'queue-resume',
  'promote',
  'delay',
  'priority',
] as const;
export type AuditVerb = (typeof AUDIT_VERBS)[number];

/** A list holds the first ids; a number beside it counts all. */
export type AuditValue = string | number | boolean | null | readonly string[];
export type AuditFields = Readonly<Record<string, AuditValue>>;

/** A change, as the code that makes it notes it. Texts are cut; no value may be a secret. */
export interface Change {
  what: AuditVerb;
  /** What it names: `{ batch: 'nightly' }`, `{ ids: […], count: 40 }`. Default: nothing, as of a halt. */
  about?: AuditFields;
  /** Null: there was nothing. */
  before?: AuditFields | null;
  /** Null: there is nothing any more. */
  after?: AuditFields | null;
}

/** One entry of the audit. */
export interface AuditEntry {
  /** Its place in the stream. */
  id: string;
  /** UTC instant by Redis' clock, ISO 8601. */
  at: string;
  /** Name of the login or of the client, or `user@host`. */
  who: string;
  from: Actor['from'];
  /** Name of the client for which it was done. Null: none. */
  client: string | null;
  /** One of the verbs; a newer process may have noted another word. */
  what: string;
  about: AuditFields;
  before: AuditFields | null;
  after: AuditFields | null;
}

/** Which entries. */
export interface AuditQuery {
  /** ms since 1970, by Redis' clock. Default: all that is kept, about the newest 10,000. */
  since?: number;
  /** Default: every verb. */
  what?: readonly string[];
  /** A person (`anna`: on any host, or `anna@box`), a login or a client. */
  who?: string;
}

export interface AuditOptions extends AuditQuery {
  /** Most entries. Default: all. */
  limit?: number;
}
