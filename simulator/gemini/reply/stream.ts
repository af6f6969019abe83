import { isObject, type JsonObject } from '../../provider-host/json.ts';

const CHUNKS = 3;

/**
 * A reply as the chunks of a stream: the text in pieces, reason and usage in the last chunk.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export function toStream(response: object, framing: 'sse' | 'array'): { type: string; text: string } {
  const chunks = toChunks({ ...response });
  if (framing === 'array') return { type: 'application/json', text: JSON.stringify(chunks) };
  return { type: 'text/event-stream', text: chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('') };
}

function toChunks(response: JsonObject): object[] {
  const candidates = Array.isArray(response.candidates) ? response.candidates.filter(isObject) : [];
  const content = candidates[0]?.content;
  const parts = isObject(content) && Array.isArray(content.parts) ? content.parts.filter(isObject) : [];
  const last = parts.at(-1);
  if (typeof last?.text !== 'string' || last.text.length < CHUNKS) return [response];
  const step = Math.ceil(last.text.length / CHUNKS);
  const texts = Array.from({ length: CHUNKS }, (_, i) => String(last.text).slice(i * step, (i + 1) * step));
  const { modelVersion, responseId } = response;
  return texts.map((text, i) => {
    const before = i === 0 ? parts.slice(0, -1) : [];
    const piece = { parts: [...before, { text }], role: 'model' };
    if (i < CHUNKS - 1) return { candidates: [{ content: piece, index: 0 }], modelVersion, responseId };
    return { ...response, candidates: [{ ...candidates[0], content: piece }] };
  });
}
