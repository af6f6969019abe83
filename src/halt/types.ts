/** Why the fleet is halted; stored in `halt:reason` meanwhile. A field that is not known is an empty string. */
export interface Halt {
  /** `account-refused`, `budget`, `redis-memory`, `person` … */
  reason: string;
  /** What the fleet did when it halted. */
  step: string;
  /** UTC instant. */
  at: string;
  /** Id of the worker, or the person, that halted it. */
  by: string;
  /** Evidence: the provider's message, the numbers. */
  detail: string;
  /** The mission that caused the halt, if one did: parking the mission lifts the halt. */
  mission?: string;
}
