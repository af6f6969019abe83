import { formatUsd } from '../../pricing/money.ts';
import type { RunEntry } from '../../run-record/types.ts';
import { createColours, type Colours } from '../../status/render/colours.ts';
import type { JobLook } from '../../timeline/read-job.ts';
import type { JobDetails } from '../../timeline/types.ts';
import { hasEnded } from '../../timeline/follow-timeline.ts';
import { fitLine } from '../output/print.ts';
import { formatCount } from '../../text/plural.ts';

/** Of `+47 h 59 min`. */
const SINCE_WIDTH = 12;
const KIND_WIDTH = 9;
const NOUNS = { tasks: 'task', archive: 'question', missions: 'mission' } as const;

/** The words of `fleet jobs` for BullMQ's states. */
const STATES: Partial<Record<JobDetails['state'], string>> = {
  active: 'running',
  completed: 'done',
  prioritized: 'waiting',
  'waiting-children': 'waiting for its children',
  unknown: 'in no queue any more',
};

/** Prints the timeline of one job, one line an entry, in the order in which they come. */
export class TimelinePrinter {
  readonly #width: number;
  readonly #paint: Colours;
  #beganAt: number | null = null;
  #day = '';
  #waits = '';

  constructor({ width, colour }: { width: number; colour: boolean }) {
    this.#width = width;
    this.#paint = createColours({ colour });
  }

  /** What a person does comes first, then what the job is. */
  head({ details }: JobLook): string[] {
    const { id, queue, text, state } = details;
    const noun = queue === null ? 'job' : NOUNS[queue];
    const facts = [
      STATES[state] ?? state,
      ...(details.batch === null ? [] : [`batch ${details.batch}`]),
      ...(details.mission === null || details.mission === id ? [] : [`mission ${details.mission}`]),
      ...(details.model === null ? [] : [details.model]),
      ...(details.costNanoUsd === null ? [] : [formatUsd(details.costNanoUsd, 6)]),
    ];
    return [
      ...this.#toWaits(details),
      this.#paint.bold(fitLine(`${noun} ${id}: ${facts.join(', ')}`, this.#width)),
      ...(text === null ? [] : [`  ${fitLine(text, this.#width - 2)}`]),
      ...(details.isRecorded || !hasEnded(state)
        ? []
        : [this.#paint.dim('  No record of its runs: this is what its queue and its finding say')]),
      '',
    ];
  }

  /** What a later look says that an earlier one did not. */
  change({ details }: JobLook): string[] {
    return this.#toWaits(details);
  }

  /** `  +12.4 s  10:15:02  call       …` */
  entry(entry: RunEntry): string {
    const at = new Date(entry.at);
    this.#beganAt ??= entry.at;
    const since = `+${describeMs(Math.max(0, entry.at - this.#beganAt))}`.padStart(SINCE_WIDTH);
    const day = toDay(at);
    const isNew = day !== this.#day;
    this.#day = day;
    const time = isNew ? `${day} ${toTime(at)}` : `${' '.repeat(day.length)} ${toTime(at)}`;
    const head = `${since}  ${time}  `;
    const line = fitLine(describeEntry(entry), Math.max(40, this.#width - head.length - KIND_WIDTH - 1));
    const kind = entry.kind.padEnd(KIND_WIDTH);
    return `${this.#paint.dim(head)}${this.#toColour(entry)(kind)} ${line}`.trimEnd();
  }

  foot({ details }: JobLook): string[] {
    const { findingId, state } = details;
    if (findingId !== null) return ['', `Its finding: fleet findings ${findingId}`];
    return state === 'completed' ? ['', 'It is done; its finding is gone'] : [];
  }

  #toWaits({ waits }: JobDetails): string[] {
    const { why = '', command = '' } = waits ?? {};
    const text = waits === null ? '' : `${why}|${command}`;
    const isNew = text !== this.#waits;
    this.#waits = text; // a wait that is over is told again where it comes back
    if (waits === null || !isNew) return [];
    const line = command === '' ? `Waits: ${why}` : `${capitalise(why)}: ${command}`;
    return [
      command === ''
        ? fitLine(line, this.#width)
        : this.#paint.yellow(fitLine(line, Math.max(this.#width, line.length))),
    ];
  }

  #toColour(entry: RunEntry): (text: string) => string {
    const isFailure = entry.kind === 'failed' || ('error' in entry && entry.error !== null);
    if (isFailure) return this.#paint.red;
    return entry.kind === 'wait' || entry.kind === 'parked' || entry.kind === 'halted'
      ? this.#paint.yellow
      : (text) => text;
  }
}

/** One entry in words, without its time and kind. */
export function describeEntry(entry: RunEntry): string {
  switch (entry.kind) {
    case 'queued':
      return '';
    case 'taken':
      return `by ${entry.by}`;
    case 'reserved':
      return `turn ${toTurn(entry.turn)}: ${formatUsd(entry.nanoUsd, 6)} at most`;
    case 'call':
      return describeCall(entry);
    case 'tool': {
      const size = entry.error === null ? `, ${formatCount(entry.size)} characters` : `: ${entry.error}`;
      return `${entry.name} ${entry.args}`.trim() + ` (${describeMs(entry.ms)})${size}`;
    }
    case 'wait':
      return entry.until === null ? entry.reason : `until ${toTime(new Date(entry.until))}: ${entry.reason}`;
    case 'asked':
      return entry.until === null
        ? entry.question
        : `until ${toTime(new Date(entry.until))} at most: ${entry.question}`;
    case 'handover':
      return `${entry.from} → ${entry.to}: ${entry.why}`;
    case 'replayed':
      return `${entry.turns} stored ${entry.turns === 1 ? 'reply' : 'replies'}, paid for before`;
    case 'escalated':
      return `to ${entry.to}, after ${entry.why}`;
    case 'failed':
      return `${entry.reason}: ${entry.text}`;
    case 'finding':
      return entry.id;
    case 'ended':
      return entry.reason ?? 'completed';
    case 'back':
    case 'halted':
    case 'parked':
    case 'offered':
      return entry.reason;
  }
}

function describeCall(call: Extract<RunEntry, { kind: 'call' }>): string {
  const { turn, model, input, cached, output, ms, nanoUsd, error } = call;
  const cost = nanoUsd === null ? 'cost uncertain' : formatUsd(nanoUsd, 6);
  const [sent, read, got] = [input, cached, output].map(formatCount);
  const tokens = `${sent} in${cached > 0 ? ` (${read} cached)` : ''}, ${got} out`;
  // The name of the model comes last: it is long, and may be cut.
  return error === null
    ? `turn ${toTurn(turn)}: ${cost}, ${describeMs(ms)}, ${tokens}, ${model}`
    : `turn ${toTurn(turn)} failed after ${describeMs(ms)} (${cost}, ${model}): ${error}`;
}

/** The ledger counts turns from 0, people from 1; `plan` and such stay. */
function toTurn(turn: string): string {
  const [, number, rest = ''] = /^(\d+)(.*)$/.exec(turn) ?? [];
  return number === undefined ? turn : `${Number(number) + 1}${rest}`;
}

/** `0.3 s`, `12 s`, `4 min 10 s`, `3 h 5 min`. */
export function describeMs(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

function toTime(at: Date): string {
  return at.toTimeString().slice(0, 8);
}

/** Local day, `2026-11-26`. */
function toDay(at: Date): string {
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
