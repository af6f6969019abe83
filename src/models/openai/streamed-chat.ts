/** A call while it arrives. */
interface ArrivingCall {
  id: string;
  name: string;
  json: string;
}

type Json = Record<string, unknown>;

/**
 * Puts a reply together from the chunks of its stream, or from one whole completion. It checks nothing: `toChatReply` does.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
export class StreamedChat {
  id = '';
  model = '';
  text = '';
  refusal = '';
  reasoning = '';
  /** The field that reasoning came in; null: none came. */
  reasoningField: string | null = null;
  details: Json[] = [];
  calls: ArrivingCall[] = [];
  /** As the provider words it; null: it has not ended the reply. */
  finishReason: string | null = null;
  /** As the provider reports it; undefined: it has not. */
  usage: unknown;
  /** Whether anything of the reply came. */
  hasBegun = false;
  #slots = new Map<number, ArrivingCall>();
  #isDone = false;

  /** Whether all of the reply came. */
  get isWhole(): boolean {
    return this.finishReason !== null || (this.#isDone && this.hasBegun);
  }

  /** Whether nothing more is expected. */
  get isComplete(): boolean {
    return this.#isDone || (this.finishReason !== null && this.usage !== undefined);
  }

  /** The stream's own last line. */
  end(): void {
    this.#isDone = true;
  }

  /** @param chunk a chunk, or a whole completion, whose message is then the only delta */
  add(chunk: Json): void {
    if (typeof chunk['id'] === 'string' && chunk['id'] !== '') this.id = chunk['id'];
    if (typeof chunk['model'] === 'string' && chunk['model'] !== '') this.model = chunk['model'];
    const choice = toObject(Array.isArray(chunk['choices']) ? chunk['choices'][0] : undefined);
    const usage = chunk['usage'] ?? choice['usage']; // Moonshot reports it inside of the choice
    if (isObject(usage)) this.usage = usage;
    this.#addDelta(toObject(choice['delta'] ?? choice['message']));
    const reason = choice['finish_reason'];
    if (typeof reason === 'string' && reason !== '') this.finishReason = reason;
  }

  #addDelta(delta: Json): void {
    if (Object.keys(delta).length > 0) this.hasBegun = true;
    this.#addContent(delta['content']);
    if (typeof delta['refusal'] === 'string') this.refusal += delta['refusal'];
    for (const field of ['reasoning_content', 'reasoning']) {
      const piece = delta[field];
      if (typeof piece !== 'string' || piece === '') continue;
      this.reasoningField ??= field;
      if (this.reasoningField === field) this.reasoning += piece; // some servers send both
    }
    for (const detail of toList(delta['reasoning_details'])) this.#addDetail(toObject(detail));
    for (const [i, part] of toList(delta['tool_calls']).entries()) this.#addCall(toObject(part), i);
  }

  /** A text, or parts of one: Mistral's reasoning models send thinking in parts of their own. https://docs.mistral.ai/capabilities/reasoning */
  #addContent(content: unknown): void {
    if (typeof content === 'string') this.text += content;
    for (const part of toList(content).map(toObject)) {
      if (typeof part['text'] === 'string') this.text += part['text'];
      for (const thought of toList(part['thinking']).map(toObject)) {
        if (typeof thought['text'] === 'string') this.reasoning += thought['text'];
      }
    }
  }

  /** Pieces of one detail have its index and type; only their texts go on. */
  #addDetail(detail: Json): void {
    const last = this.details.at(-1);
    const isSame = last !== undefined && last['type'] === detail['type'] && last['index'] === detail['index'];
    if (!isSame || detail['type'] === 'reasoning.encrypted') {
      this.details.push({ ...detail });
      return;
    }
    for (const [field, value] of Object.entries(detail)) {
      const goesOn = (field === 'text' || field === 'summary') && typeof value === 'string';
      if (goesOn) last[field] = `${typeof last[field] === 'string' ? last[field] : ''}${value}`;
      else if (value !== null && value !== undefined) last[field] = value;
    }
  }

  /** A part with another id and a name begins a call, also under an index that another call had. */
  #addCall(part: Json, place: number): void {
    const index = typeof part['index'] === 'number' ? part['index'] : place;
    const own = toObject(part['function']);
    const id = typeof part['id'] === 'string' ? part['id'] : '';
    const name = typeof own['name'] === 'string' ? own['name'] : '';
    let call = this.#slots.get(index);
    if (call === undefined || (id !== '' && call.id !== '' && id !== call.id && name !== '')) {
      call = { id, name, json: '' };
      this.#slots.set(index, call);
      this.calls.push(call);
    }
    if (call.id === '') call.id = id;
    if (call.name === '') call.name = name;
    const json = own['arguments'];
    call.json += typeof json === 'string' ? json : isObject(json) ? JSON.stringify(json) : '';
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toObject(value: unknown): Json {
  return isObject(value) ? value : {};
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
