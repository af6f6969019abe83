import { z } from 'zod';
import type { MessagesRequest } from '../../model/types.ts';
import { isObject } from '../../provider-host/json.ts';
import { invalidRequest } from '../api/api-error.ts';
import type { ServedModel } from '../api/model-table.ts';
import { DEFAULT_RULES, type Rules } from '../api/rules.ts';
import { findServedModel } from '../api/served-model.ts';
import { type PromptSegment, sumTokens, toPromptSegments } from '../prompt/prompt-segments.ts';
import { parseSignature } from '../thinking/signature.ts';
import { thinks } from '../thinking/thinking-tokens.ts';
import { cacheControl, messages, system } from './blocks.ts';
import { checkConversation } from './conversation.ts';
import { checkOutputSchema, outputConfig } from './output.ts';
import { checkTools, toolChoice, tools } from './tools.ts';
import { parseRequest, unsimulated } from './wording.ts';

/** Refused by API version 2026-10-21 even at their old defaults. */
const SAMPLING_KEYS = ['temperature', 'top_p', 'top_k'];
const MAX_BREAKPOINTS = 4; // https://docs.claude.com/en/docs/build-with-claude/prompt-caching

/** Fields of both endpoints (SDK `resources/messages/messages.d.ts`). */
const promptFields = {
  model: z.string(),
  speed: unsimulatedField('speed'),
  system,
  messages,
  tools: tools.optional(),
  tool_choice: toolChoice.optional(),
  output_config: outputConfig.optional(),
  cache_control: cacheControl,
  thinking: z.looseObject({ type: z.string() }).optional(),
};

const countSchema = z.strictObject(promptFields);
const createSchema = z.strictObject({
  container: unsimulatedField('container'),
  diagnostics: unsimulatedField('diagnostics'),
  inference_geo: unsimulatedField('inference_geo'),
  ...promptFields,
  max_tokens: z.int().min(1),
  stream: z.boolean().nullish(),
  metadata: z.strictObject({ user_id: z.string().max(256).nullish() }).optional(),
  stop_sequences: z
    .array(
      z.string().refine((stop) => stop.trim() !== '', {
        error: 'stop_sequences: each stop sequence must contain non-whitespace',
      }),
    )
    .optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
});

export interface ValidRequest {
  request: MessagesRequest;
  model: ServedModel;
  /** The prompt's blocks, as the cache compares them. */
  segments: PromptSegment[];
  promptTokens: number;
}

/**
 * Checks the body of `POST /v1/messages` (`create`) or `/v1/messages/count_tokens` (`count`) as API version 2026-10-21 does.
 * @throws ApiError 400; 404 for a model that is not served
 */
export function validateRequest(
  value: unknown,
  endpoint: 'create' | 'count',
  rules: Rules = DEFAULT_RULES,
): ValidRequest {
  if (!isObject(value)) throw invalidRequest('The request body is not valid JSON: expected an object');
  const sampling = SAMPLING_KEYS.find((key) => key in value);
  if (sampling !== undefined) throw invalidRequest(`${sampling}: this parameter is no longer supported`);
  const created = endpoint === 'create' ? parseRequest(createSchema, value) : null;
  const body = created ?? parseRequest(countSchema, value);
  const model = findServedModel(body.model, rules);
  checkConversation(body.messages);
  checkThinking(body.thinking?.type, model);
  if (rules === 'real') checkEffort(body.output_config?.effort ?? null, model);
  checkTools(body.tools ?? [], body.tool_choice, model, thinks(model, body));
  checkOutputSchema(body.output_config?.format?.schema);
  if (created !== null) checkMaxTokens(created.max_tokens, model);
  const request = value as unknown as MessagesRequest; // the schema checked every field
  const segments = toPromptSegments(request, model, (signature) => parseSignature(signature)?.tokens ?? 0);
  return { request, model, segments, promptTokens: checkPrompt(segments, model) };
}

/** Null and absent are accepted: they ask for nothing. */
function unsimulatedField(name: string) {
  return z.null({ error: unsimulated(name) }).optional();
}

function checkMaxTokens(maxTokens: number, model: ServedModel): void {
  if (maxTokens <= model.maxOutputTokens) return;
  throw invalidRequest(
    `max_tokens: ${maxTokens} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
  );
}

/** Sonnet 5.5 always thinks. https://platform.claude.com/docs/en/about-claude/models/migration-guide */
function checkThinking(type: string | undefined, model: ServedModel): void {
  if (type !== 'disabled' || model.thinking === null || model.thinking.canBeDisabled) return;
  throw invalidRequest(`thinking.type: "disabled" is not supported by ${model.id}; thinking cannot be switched off`);
}

/**
 * The 4.5 models know none. https://platform.claude.com/docs/en/build-with-claude/effort; the words:
 * https://github.com/anthropics/claude-code/issues/30760
 */
function checkEffort(effort: string | null, model: ServedModel): void {
  if (effort === null || model.thinking !== null || model.line === 'other') return;
  throw invalidRequest('This model does not support the effort parameter.');
}

/** @returns the tokens of the prompt */
function checkPrompt(segments: readonly PromptSegment[], model: ServedModel): number {
  const breakpoints = segments.filter((segment) => segment.breakpoint).length;
  if (breakpoints > MAX_BREAKPOINTS) {
    throw invalidRequest(
      `A maximum of ${MAX_BREAKPOINTS} blocks with cache_control may be provided. Found ${breakpoints}.`,
    );
  }
  const tokens = sumTokens(segments, model);
  if (tokens > model.contextTokens) {
    throw invalidRequest(`prompt is too long: ${tokens} tokens > ${model.contextTokens} maximum`);
  }
  return tokens;
}
