import { toMessage } from '../errors.ts';

/** One line of the doctor: what was checked, what was found, and how to repair it. */
export interface CheckResult {
  ok: boolean;
  what: string;
  seen: string;
  /** Only where `ok` is false. */
  fix?: string;
}

/** A group of checks under one heading, in the order in which they ran. */
export interface CheckGroup {
  title: string;
  results: CheckResult[];
}

/** A check that found no problem. */
export const well = (what: string, seen: string): CheckResult => ({ ok: true, what, seen });
/** A check that found a problem, and its repair. */
export const unwell = (what: string, seen: string, fix: string): CheckResult => ({ ok: false, what, seen, fix });

/** Runs one check. An error that it throws is reported as its problem. */
export async function attempt(what: string, fix: string, check: () => Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    return unwell(what, toMessage(error), fix);
  }
}
