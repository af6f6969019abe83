import { z } from 'zod';
import { DEEPEST_RULE, isTooDeep } from '../../text/json-depth.ts';
import { parseFinding, toStoredText, withFacts } from '../stored.ts';
import { PLACES, type ExportedFinding, type StoredValue } from '../types.ts';
import { parseExact, stringifyExact } from '../../text/exact-json.ts';

/**
 * Field of a line with what the finding alone does not hold. It is last in its line, and readers of findings ignore it.
 */
const EXTRA = '_fleet';

/** A finding that has none of these says nothing. `content` is an older program's. */
const SAYS = ['result', 'task', 'content'] as const;

const extraSchema = z.strictObject({
  place: z.enum(PLACES).optional(), // default `live`
  note: z.string().optional(),
  stub: z.string().optional(), // what `finding:<id>` holds of a condensed finding
  text: z.string().optional(), // the stored text, if it differs from the line
  lacked: z.strictObject({ session: z.string().optional(), at: z.string().optional() }).optional(), // of another program's finding
  hash: z.array(z.tuple([z.string(), z.string()])).optional(), // fields of an older program's hash
});
type Extra = z.output<typeof extraSchema>;

/**
 * Writes a finding as one line of JSON that every reader of findings can parse. If the line differs from the stored text,
 * its last field, `_fleet`, holds the rest.
 */
export function toExportLine({ id, place, value, condensedText, note, lacked }: ExportedFinding): string {
  const text = toStoredText(value);
  const finding = parseFinding(id, withFacts(text, lacked));
  const plain = finding === null ? JSON.stringify({ finding_id: id }) : stringifyExact(finding);
  const extra: Extra = {
    ...(place === 'live' ? {} : { place }),
    ...(note === null ? {} : { note }),
    ...(lacked === null ? {} : { lacked }),
    ...(condensedText === null ? {} : { stub: condensedText }),
    ...(value.kind === 'hash' ? { hash: value.fields } : plain === text ? {} : { text }),
  };
  const isWhole = Object.keys(extra).length === 0 && !(finding !== null && EXTRA in finding);
  return isWhole ? plain : `${plain.slice(0, -1)},"${EXTRA}":${JSON.stringify(extra)}}`;
}

/** Parses a line of `toExportLine`, or a plain finding of any origin. @throws RangeError with the problem of the line */
export function fromExportLine(line: string): ExportedFinding {
  const value: unknown = parse(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RangeError('expected a finding as a JSON object');
  }
  const id: unknown = Reflect.get(value, 'finding_id');
  if (typeof id !== 'string' || id === '' || id.length > 1_000) {
    throw new RangeError('finding_id: expected a text of 1..1000 characters');
  }
  const given: unknown = Reflect.get(value, EXTRA);
  if (given === undefined && !SAYS.some((name) => Reflect.has(value, name))) {
    throw new RangeError('expected a finding, which has a result, or at least a task or content; it has none of them');
  }
  if (given === undefined) {
    return { id, place: 'live', value: { kind: 'string', text: line }, condensedText: null, note: null, lacked: null };
  }
  const extra = extraSchema.safeParse(given);
  if (!extra.success) throw new RangeError(`${EXTRA}: ${z.prettifyError(extra.error)}`);
  const { place = 'live', note = null, stub: condensedText = null, lacked = null, text, hash } = extra.data;
  if ((place === 'condensed') !== (condensedText !== null)) {
    throw new RangeError(`${EXTRA}: expected a stub of a condensed finding, and of no other`);
  }
  if (hash?.length === 0) throw new RangeError(`${EXTRA}.hash: expected at least one field`);
  const stored: StoredValue =
    hash === undefined
      ? { kind: 'string', text: text ?? withoutExtra(line, value, given) }
      : { kind: 'hash', fields: hash };
  return { id, place, value: stored, condensedText, note, lacked };
}

/** The line before `_fleet` was put at its end; a line that was edited meanwhile is taken as it reads now. */
function withoutExtra(line: string, value: object, extra: unknown): string {
  const end = `,"${EXTRA}":${JSON.stringify(extra)}}`;
  if (line.endsWith(end)) return `${line.slice(0, -end.length)}}`;
  return stringifyExact(Object.fromEntries(Object.entries(value).filter(([name]) => name !== EXTRA)));
}

function parse(line: string): unknown {
  if (isTooDeep(line)) throw new RangeError(DEEPEST_RULE);
  try {
    return parseExact(line);
  } catch (error) {
    throw new RangeError(`expected JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
