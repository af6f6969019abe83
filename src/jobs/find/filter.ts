import { tasksQueue } from '../../../queues/tasks.ts';
import { archiveQueue } from '../../../queues/archive.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import { foldText, toSearchTerms } from '../../findings/search-terms.ts';
import { toTexts } from '../../findings/search.ts';
import { normalize } from '../../text/normalize.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { JOB_STATES, type JobFilter, type ListedJob, type ListedState } from './types.ts';

/** A filter as the scripts take it. They find all that fits, and may find more: `fits` decides. */
export interface JobNeedles {
  /** Of each word the forms of which one must be in the text, whose ASCII letters are in lower case. */
  words: string[][];
  /** Of each word what a text has one of as it is if it has the word; empty: nothing is certain. */
  hints: string[][];
  /** Names of fields, which are no words of a text, each with nothing in its place. Absent: no word is part of one. */
  names?: Record<string, ''>;
  /** Of each named thing the forms in which the JSON of a job or finding holds it: of what the job's data alone tells, then of the rest. */
  own: string[][];
  exact: string[][];
  /** Whether a finding tells what the filter asks for, besides the job. */
  finds: boolean;
  states: Record<string, true>;
  /** ms since 1970. */
  since?: number;
  reason?: string;
  /** Nano-dollars. */
  above?: number;
}

const FIELDS = [tasksQueue, archiveQueue, missionsQueue].flatMap(({ data }) => Object.keys(data.shape));
const FINDING_FIELDS =
  `finding_id worker_id timestamp task result files_changed citations tokens_used cost at summary session batch mission_id job_id model
  vendor prompt_version kind changes topics status usage recovered input output cache_write cache_read path added removed lines`.split(
    /\s+/,
  );
const NAMES = [...new Set([...FIELDS, ...FINDING_FIELDS])];

export function toStates({ state }: Pick<JobFilter, 'state'>): ReadonlySet<ListedState> {
  return new Set(state === undefined ? JOB_STATES : typeof state === 'string' ? [state] : state);
}

export function toNeedles(filter: JobFilter): JobNeedles {
  const { words = '', batch, mission, model, worker, client, session, since, reason, costAboveUsd } = filter;
  const terms = toSearchTerms(words).map(({ written }) => toForms(written));
  const isPartOfName = terms.some((forms) => forms.some((form) => NAMES.some((name) => `"${name}":`.includes(form))));
  const given = (forms: string[][]): string[][] => forms.filter((form) => form.length > 0);
  return {
    words: terms,
    hints: terms.map(toHint),
    ...(isPartOfName ? { names: Object.fromEntries(NAMES.map((name) => [name, ''])) } : {}),
    own: given([toNamed(['batch'], batch), toNamed(['client'], client), toNamed(['session'], session)]),
    exact: given([
      toNamed(['mission_id', 'job_id'], mission),
      toNamed(['model'], model),
      toNamed(['worker_id'], worker),
    ]),
    finds: model !== undefined || worker !== undefined,
    states: Object.fromEntries([...toStates(filter)].map((name) => [name, true])),
    ...(since === undefined ? {} : { since }),
    ...(reason === undefined ? {} : { reason }),
    ...(costAboveUsd === undefined ? {} : { above: toNanoUsd(costAboveUsd) }),
  };
}

/**
 * The forms of a word in JSON, as the scripts compare it: the case of ASCII letters is theirs. Of other letters a text has them all in
 * lower case, all in upper case, or the first in upper case; or as escapes, as programs in other languages write them.
 */
function toForms(word: string): string[] {
  const lower = foldText(word);
  const first = String.fromCodePoint(lower.codePointAt(0) ?? 0);
  const cased = [word, lower, lower.toUpperCase(), first.toUpperCase() + lower.slice(first.length)];
  const whole = cased.flatMap((form) => [normalize(form, 'NFC'), normalize(form, 'NFD')]);
  const forms = whole.map((form) => JSON.stringify(form).slice(1, -1));
  const escaped = forms.map((form) =>
    form.replaceAll(/[^\0-\u007f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  return [
    ...new Set([...forms, ...escaped].map((form) => form.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()))),
  ];
}

/** Letters by how frequent they are in texts, the most frequent first, and what JSON and English have most beside them. */
const FREQUENT = ' etaoinsrhldcumfpgwybv,."-:';

/** The two rarest neighbours of a word in each case, if it has one form of ASCII letters. A text without them need not be lowered. */
function toHint(forms: readonly string[]): string[] {
  const [form = ''] = forms;
  if (forms.length > 1 || form === '') return [];
  const pairs = Array.from({ length: Math.max(1, form.length - 1) }, (_, i) => form.slice(i, i + 2));
  const rank = (pair: string): number => 2 * toRank(pair[0]) + toRank(pair[1]); // Redis looks for the first one
  const [first = '', second = ''] = pairs.toSorted((a, b) => rank(b) - rank(a))[0] ?? '';
  const cases = (letter: string): string[] => [...new Set([letter, letter.toUpperCase()])];
  return cases(first).flatMap((one) => (second === '' ? one : cases(second).map((other) => one + other)));
}

/** The higher, the rarer. */
function toRank(letter = ''): number {
  const place = FREQUENT.indexOf(letter);
  return place === -1 ? FREQUENT.length : place;
}

/** `"batch":"nightly"`, as JSON of most programs and of Python's holds it. */
function toNamed(names: readonly string[], value: string | undefined): string[] {
  if (value === undefined) return [];
  const json = JSON.stringify(value);
  return names.flatMap((name) => [`"${name}":${json}`, `"${name}": ${json}`]);
}

/** A listed job with the texts that words are looked for in. */
export interface FoundJob {
  job: ListedJob;
  /** Any JSON of texts. */
  texts: unknown;
}

/** @returns whether a found job fits: the scripts look for texts in JSON, where a text may be another field's */
export function toFits(filter: JobFilter): (found: FoundJob) => boolean {
  const terms = toSearchTerms(filter.words ?? '');
  const { batch, mission, model, worker, client, session, costAboveUsd } = filter;
  const above = costAboveUsd === undefined ? null : toNanoUsd(costAboveUsd);
  return ({ job, texts }) => {
    if (batch !== undefined && job.batch !== batch) return false;
    if (mission !== undefined && job.mission !== mission) return false;
    if (model !== undefined && job.model !== model) return false;
    if (worker !== undefined && job.worker !== worker) return false;
    if (client !== undefined && job.client !== client) return false;
    if (session !== undefined && job.session !== session) return false;
    if (above !== null && !(job.costNanoUsd !== null && job.costNanoUsd > above)) return false;
    if (terms.length === 0) return true;
    const text = foldText([job.id, ...toTexts(texts)].join('\n'));
    return terms.every((term) => text.includes(term.text));
  };
}
