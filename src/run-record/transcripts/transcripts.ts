import { readdir, rm, writeFile } from 'node:fs/promises';
import { createRedactor, redactJson, type Redact } from '../../config/redact.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { startOf } from '../../text/start-of.ts';
import { toJobFolder } from './places.ts';
import { sweepTranscripts } from './sweep.ts';

/** Longest text of a transcript, UTF-16 code units: one file, one tool result. */
const LONGEST_TEXT = 100_000;
/** Longest file, UTF-16 code units of its JSON. A prompt that is longer is left out. */
const LONGEST_FILE = 2_000_000;
/** After so much was written, the whole is measured again, bytes. */
const SWEEP_AFTER = 50_000_000;
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** One call as its transcript holds it. */
export interface TranscribedCall {
  model: string;
  /** What was sent: of a later turn only what the transcript does not hold yet. */
  prompt: unknown;
  /** Null: there was none. */
  reply: unknown;
  error?: string;
}

/** Writes what models were sent and what they replied to files of this host, one a call, for people. Only the user of the process reads them. */
export class Transcripts {
  readonly #folder: string;
  readonly #redact: Redact;
  readonly #keepMs: number;
  #written = 0;

  /** @param folder of the swarm's transcripts; `keepDays`: how long they stay */
  constructor(folder: string, { redact, keepDays }: { redact: Redact; keepDays: number }) {
    const shapes = createRedactor([]);
    this.#folder = folder;
    this.#redact = (text) => shapes(redact(text));
    this.#keepMs = keepDays * 86_400_000;
  }

  /** Writes one call of a job as its next file, `0001.json`. @throws the error of the disk */
  async write(jobId: string, at: Date, call: TranscribedCall): Promise<void> {
    // Before anything is awaited: the run adds to the same messages, and cuts them, once its call has returned.
    const text = this.#toText({ at: at.toISOString(), job: jobId, ...call });
    const folder = toJobFolder(this.#folder, jobId);
    await makeFolder(folder, { mode: PRIVATE_FOLDER, setting: 'FLEET_DATA' });
    for (let number = (await readdir(folder)).length + 1; ; number += 1) {
      if (await writeNew(`${folder}/${String(number).padStart(4, '0')}.json`, text)) break;
    }
    this.#written += text.length;
    if (this.#written < SWEEP_AFTER) return;
    this.#written = 0;
    await sweepTranscripts(this.#folder, { keepMs: this.#keepMs, nowMs: Date.now() });
  }

  #toText(call: TranscribedCall & { at: string; job: string }): string {
    const cut = (_: string, value: unknown): unknown =>
      typeof value === 'string' && value.length > LONGEST_TEXT
        ? `${startOf(value, LONGEST_TEXT)}\n[cut: ${value.length} characters]`
        : value;
    // Secrets go before anything is cut: half of one would be recognised no more.
    const clean = redactJson(call, this.#redact);
    const text = JSON.stringify(clean, cut, 2);
    if (text.length <= LONGEST_FILE) return text;
    return JSON.stringify({ ...clean, prompt: `[left out: ${text.length} characters]` }, cut, 2).slice(0, LONGEST_FILE);
  }
}

/** Where the transcript of a job is on this host, and how many calls it holds. @returns null: there is none */
export async function findTranscript(folder: string, jobId: string): Promise<{ path: string; calls: number } | null> {
  const path = toJobFolder(folder, jobId);
  const files = await readdir(path).catch(() => []);
  return files.length === 0 ? null : { path, calls: files.length };
}

/** Removes the transcript of a job on this host. @returns whether there was one */
export async function removeTranscript(folder: string, jobId: string): Promise<boolean> {
  const found = await findTranscript(folder, jobId);
  if (found !== null) await rm(found.path, { recursive: true, force: true });
  return found !== null;
}

/** @returns false: another run of the job has just written this file */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: PRIVATE_FILE });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
