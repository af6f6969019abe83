import { assertCursor, parseVerbs } from '../../../audit/check-query.ts';
import { describeAbout, describeChange } from '../../../audit/describe-entry.ts';
import { readAuditPage } from '../../../audit/read-audit.ts';
import { AUDIT_VERBS, type AuditEntry } from '../../../audit/types.ts';
import { UsageError } from '../../../errors.ts';
import { toLocalTimestamp } from '../../../findings/timestamp.ts';
import { AUDIT_SHOWN } from '../../input/options.ts';
import { toSince } from '../../input/since.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { createColours } from '../../../status/render/colours.ts';
import { toOneLine } from '../../../text/one-line.ts';
import { fitLine, isTerminal, lineWidth, printJson, renderTable, wantsColour } from '../../output/print.ts';

export interface AuditCommandOptions {
  since?: string;
  what?: string;
  who?: string;
  limit?: number;
  cursor?: string;
  json?: boolean;
}

const HEAD = ['WHEN', 'WHO', 'FROM', 'WHAT', 'CHANGE'];
/** Shortest line of a change, on a screen that is narrower. */
const LEAST = 40;

/** Does `fleet audit`. */
export async function runAuditCommand(options: AuditCommandOptions): Promise<void> {
  const { since, what, who, cursor, limit = AUDIT_SHOWN } = options;
  const verbs = what === undefined ? [] : asOption(() => parseGivenVerbs(what));
  if (who?.trim() === '') throw new UsageError('--who: expected a person, login or client');
  if (cursor !== undefined) asOption(() => assertCursor(cursor));
  await withFleet(async ({ inner: { db } }) => {
    const query = {
      what: verbs,
      ...(since === undefined ? {} : { since: toSince(since, db.clock.now()) }),
      ...(who === undefined ? {} : { who }),
    };
    const page = await readAuditPage(db, query, { limit, cursor: cursor ?? null });
    if (options.json) return printJson(page);
    const isFiltered = [since, what, who, cursor].some((filter) => filter !== undefined);
    if (page.entries.length === 0) return console.log(isFiltered ? 'No change fits.' : 'No change is noted yet.');
    console.log(renderAudit(page.entries));
    if (page.cursor !== null) console.log(`➜ older ones: the same line with --cursor ${page.cursor}`);
  });
}

/** An option without a verb would list everything, which no one asked for. */
function parseGivenVerbs(what: string): string[] {
  const verbs = parseVerbs(what);
  if (verbs.length === 0) throw new UsageError(`what: expected some of ${AUDIT_VERBS.join(', ')}`);
  return verbs;
}

/** An error names the option as a person types it. */
function asOption<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`--${error.message}`) : error;
  }
}

/**
 * One line a change, whole. On a terminal, what was changed has a line of its own where it does not fit beside the rest, cut at its end:
 * it begins with what the change did.
 */
function renderAudit(entries: readonly AuditEntry[]): string {
  const paint = createColours({ colour: wantsColour() });
  const [head = '', ...lines] = renderTable([HEAD.slice(0, -1), ...entries.map(toCells)]).split('\n');
  const widest = Math.max(...[head, ...lines].map((line) => line.length));
  const shown = entries.flatMap((entry, i) => {
    const [line = '', text] = [lines[i], toOneLine(describe(entry), Infinity)];
    if (!isTerminal() || widest + 2 + text.length <= lineWidth()) return `${line.padEnd(widest)}  ${text}`.trimEnd();
    return [line, paint.dim(`   ${fitLine(text, Math.max(LEAST, lineWidth() - 3))}`)];
  });
  return [`${head.padEnd(widest)}  ${HEAD.at(-1)}`, ...shown].join('\n');
}

function describe(entry: AuditEntry): string {
  const [change, about] = [describeChange(entry), describeAbout(entry)];
  if (change === '' || about === '') return change + about;
  return `${change} (${about})`;
}

function toCells({ at, who, from, client, what }: AuditEntry): string[] {
  const whom = client === null || client === who ? who : `${who} (${client})`;
  const when = toLocalTimestamp(new Date(at)).slice(0, 16).replace('T', ' ');
  return [when, fitLine(whom, 30), from, fitLine(what, 16)];
}
