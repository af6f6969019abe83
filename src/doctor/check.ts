import { setTimeout as sleep } from 'node:timers/promises';
import { FleetError, toMessage } from '../errors.ts';
import { toOneLine } from '../text/one-line.ts';

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

/** A check that takes longer is given up: a server or a program hangs. */
const PATIENCE_MS = 20_000;

/** Runs one check. An error that it throws, or that it does not end in time, is reported as its problem. */
export async function attempt(what: string, fix: string, check: () => Promise<CheckResult>): Promise<CheckResult> {
  const [result] = await attemptAll(what, fix, async () => [await check()]);
  return result ?? unwell(what, 'nothing was found out', fix);
}

/** The same for a check of several lines. @param limitMs default: 20 s */
export async function attemptAll(
  what: string,
  fix: string,
  check: () => Promise<CheckResult[]>,
  limitMs = PATIENCE_MS,
): Promise<CheckResult[]> {
  const timer = new AbortController();
  const late = sleep(limitMs, undefined, { signal: timer.signal }).then(() => {
    throw new FleetError(`it did not end within ${limitMs / 1_000} s`);
  });
  late.catch(() => undefined); // aborted after the check
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return [unwell(what, toOneLine(toMessage(error)), fix)];
  } finally {
    timer.abort();
  }
}
