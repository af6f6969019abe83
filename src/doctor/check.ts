import { toMessage } from '../errors.ts';

/** One line of the doctor: what was looked at, what was seen, and how to mend it where it is not well. */
export interface CheckResult {
  ok: boolean;
  what: string;
  seen: string;
  /** Only where `ok` is false. */
  fix?: string;
}

/** A group of checks under one heading; they may depend on each other and run in order. */
export interface CheckGroup {
  title: string;
  results: CheckResult[];
}

export const well = (what: string, seen: string): CheckResult => ({ ok: true, what, seen });
export const unwell = (what: string, seen: string, fix: string): CheckResult => ({ ok: false, what, seen, fix });

/** Runs one check; what it throws is a finding, not a crash. */
export async function attempt(what: string, fix: string, check: () => Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    return unwell(what, toMessage(error), fix);
  }
}
