/** Why the fleet stands still; `halt:reason` holds it while it does. A part that is not known is an empty string. */
export interface Halt {
  /** `account-refused`, `budget`, `redis-memory`, `person` … */
  reason: string;
  /** What was being done. */
  step: string;
  /** UTC instant. */
  at: string;
  /** Worker id, or the person. */
  by: string;
  /** Evidence: the provider's words, the figures. */
  detail: string;
  /** The mission that caused it, where one did: parking it lifts the halt. */
  mission?: string;
}
