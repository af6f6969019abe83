import type Anthropic from '@anthropic-ai/sdk';
import type { BilledUsage } from '../../errors.ts';
import { isTooDeep } from '../../text/json-depth.ts';
import { readUsage } from './reply-shape.ts';

/** A block while it arrives. `json` is the input of a tool call, which arrives as text. */
interface ArrivingBlock {
  block: Record<string, unknown>;
  json: string;
}

/** Whole replies end with one of these; the input of a tool call may be cut with any other. */
const WHOLE = new Set(['end_turn', 'tool_use', 'stop_sequence']);

/**
 * Puts a reply together from the events of its stream. It keeps no event, and it checks nothing: `checkReply` checks the
 * result once. Unknown events and deltas are skipped, as the API's versioning asks.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class StreamedReply {
  #message: Record<string, unknown> | null = null;
  #blocks: ArrivingBlock[] = [];
  #usage: Record<string, unknown> = {};
  #stopReason: string | null = null;
  #isStopped = false;

  /** Whether the provider has sent all of the reply. */
  get isWhole(): boolean {
    return this.#isStopped || this.#stopReason !== null;
  }

  /** Whether the event that ends the stream came. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** What the provider has reported of the call's usage; undefined: nothing readable. */
  get reported(): BilledUsage | undefined {
    return this.#message === null ? undefined : readUsage(this.#usage);
  }

  /** @throws TypeError for an event without the fields of its type */
  add(event: Anthropic.RawMessageStreamEvent): void {
    switch (event.type) {
      case 'message_start':
        this.#message = { ...event.message };
        this.#usage = { ...event.message.usage };
        break;
      case 'content_block_start':
        this.#blocks[event.index] = { block: { ...event.content_block }, json: '' };
        break;
      case 'content_block_delta':
        this.#addDelta(event.index, event.delta);
        break;
      case 'message_delta':
        this.#stopReason = event.delta.stop_reason ?? this.#stopReason;
        for (const [name, count] of Object.entries(event.usage ?? {})) {
          if (count !== null) this.#usage[name] = count; // totals of the whole reply, no additions
        }
        break;
      case 'message_stop':
        this.#isStopped = true;
        break;
      case 'content_block_stop':
      default: // also events of later versions
    }
  }

  /** The message as the API sends it without streaming, for `checkReply`. */
  toBody(): unknown {
    if (this.#message === null) return undefined;
    return {
      ...this.#message,
      content: this.#blocks.map((arriving) => this.#toBlock(arriving)),
      stop_reason: this.#stopReason,
      usage: this.#usage,
    };
  }

  #addDelta(index: number, delta: Anthropic.RawContentBlockDelta): void {
    const arriving = this.#blocks[index];
    if (arriving === undefined) throw new TypeError(`a delta of block ${index}, which has not begun`);
    const { block } = arriving;
    if (delta.type === 'text_delta') block['text'] = `${String(block['text'])}${delta.text}`;
    else if (delta.type === 'thinking_delta') block['thinking'] = `${String(block['thinking'])}${delta.thinking}`;
    else if (delta.type === 'signature_delta') block['signature'] = delta.signature;
    else if (delta.type === 'input_json_delta') arriving.json += delta.partial_json;
  }

  /** An input that is no JSON, or nested too deeply to be stored, stays a text. One that a limit cut is empty: such a reply is asked for again, and never carried out. */
  #toBlock({ block, json }: ArrivingBlock): Record<string, unknown> {
    if (json === '') return block;
    try {
      if (!isTooDeep(json)) return { ...block, input: JSON.parse(json) as unknown };
    } catch {
      // no JSON
    }
    return { ...block, input: WHOLE.has(this.#stopReason ?? '') ? json : {} };
  }
}
