import type { Usage } from '../../../queues/usage.ts';
import { readUsage } from './reply.ts';

type Json = Record<string, unknown>;

/**
 * Puts a reply together from the chunks of its stream, for `checkContent` and `checkToolReply`. A chunk brings parts of the text,
 * whole calls, the usage so far, and in the end the reason.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class StreamedContent {
  readonly #parts: unknown[] = [];
  readonly #candidate: Json = {};
  readonly #rest: Json = {};
  #hasCandidate = false;
  #count = 0;

  /** Whether the provider has said why the reply ends. */
  get isEnded(): boolean {
    const feedback = this.#rest['promptFeedback'];
    return this.#candidate['finishReason'] !== undefined || (isJson(feedback) && feedback['blockReason'] !== undefined);
  }

  /** Whether the stream began a text that it did not end. */
  get isCut(): boolean {
    return this.#hasCandidate && !this.isEnded;
  }

  /** Chunks so far. */
  get count(): number {
    return this.#count;
  }

  /** What the provider has reported of the call's usage; undefined: nothing readable. */
  get reported(): Usage | undefined {
    return readUsage(this.#rest['usageMetadata']);
  }

  /** @throws TypeError for a chunk that is no object */
  add(chunk: unknown): void {
    if (!isJson(chunk)) throw new TypeError('a chunk of the stream is no object');
    this.#count += 1;
    for (const name of ['usageMetadata', 'promptFeedback', 'modelVersion']) {
      if (chunk[name] !== undefined) this.#rest[name] = chunk[name];
    }
    const candidates = chunk['candidates'];
    const first: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
    if (!isJson(first)) return;
    this.#hasCandidate = true;
    for (const name of ['finishReason', 'finishMessage']) {
      if (first[name] !== undefined && first[name] !== null) this.#candidate[name] = first[name];
    }
    const content = first['content'];
    if (isJson(content) && Array.isArray(content['parts'])) this.#parts.push(...(content['parts'] as unknown[]));
  }

  /** The body that the API sends without streaming. */
  toBody(): object {
    const candidate = { ...this.#candidate, content: { parts: this.#parts, role: 'model' } };
    return { ...this.#rest, ...(this.#hasCandidate && { candidates: [candidate] }) };
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
