import type { JsonObject } from '../../provider-host/json.ts';
import type { MessagesRequest, ModelReply, ReplyRoom } from '../types.ts';
import { fillSchema, fitsSchema } from '../schema-fill.ts';
import { toOutline } from './outline.ts';
import { toPlan } from './plan.ts';
import { findLatencyMs, findSpoilage, type Spoilage } from './planning-markers.ts';
import { parsePlanningPrompt, type PlanningPrompt } from './planning-prompt.ts';
import { toCondensation, toSection, toSynthesis } from './summaries.ts';

const UNKNOWN_ID = 'finding_unknown0000';

/**
 * Answers the coordinator's structured calls deterministically and from the prompt alone. Null for every other request.
 */
export function replyToPlanner(request: MessagesRequest, room: ReplyRoom): ModelReply | null {
  const prompt = parsePlanningPrompt(request, room);
  if (prompt === null) return null;
  const latencyMs = findLatencyMs(prompt);
  const latency = latencyMs === null ? {} : { latencyMs };
  const spoilage = findSpoilage(prompt);
  if (spoilage === 'refused')
    return { ...latency, content: [], refusal: 'The goal asks the simulated model to refuse.' };
  const said = think(prompt);
  const fits = fitsSchema(prompt.schema, said);
  const reply = fits ? said : fillSchema(prompt.schema, said);
  const text = spoilage === null ? JSON.stringify(reply) : spoil(spoilage, said, prompt.room);
  return { ...latency, content: [{ type: 'text', text }] };
}

function think(prompt: PlanningPrompt): JsonObject {
  switch (prompt.title) {
    case 'plan':
      return { ...toPlan(prompt) };
    case 'synthesis':
      return toSynthesis(prompt);
    case 'condensation':
      return toCondensation(prompt);
    case 'outline':
      return { ...toOutline(prompt) };
    case 'section':
      return toSection(prompt);
  }
}

function spoil(way: Exclude<Spoilage, 'refused'>, said: JsonObject, room: number): string {
  switch (way) {
    case 'bad':
      return JSON.stringify({ unexpected: Object.keys(said) });
    case 'broken':
      return 'This is no JSON.';
    case 'uncited':
      return JSON.stringify(mapTexts({ ...said, citations: [] }, (text) => text.replaceAll(/ ?\[[^\]]*\]/g, '')));
    case 'unknown':
      return JSON.stringify({
        ...mapTexts(said, (text) => `${text} [${UNKNOWN_ID}]`),
        citations: [...(Array.isArray(said.citations) ? said.citations : []), UNKNOWN_ID],
      });
    case 'cut':
      return JSON.stringify(mapTexts(said, (text) => text.padEnd(room + 1, ' and so on')));
  }
}

/** Changes every text of the reply's first level. */
function mapTexts(said: JsonObject, change: (text: string) => string): JsonObject {
  return Object.fromEntries(
    Object.entries(said).map(([name, value]) => [name, typeof value === 'string' ? change(value) : value]),
  );
}
