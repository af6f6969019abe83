import { z } from 'zod';
import { isObject, type JsonObject } from '../../provider-host/json.ts';
import { invalidArgument } from '../api/google-error.ts';
import type { ThinkingConfig } from '../rules/thinking.ts';
import { checkThoughtSignatures } from '../rules/thought-signature.ts';
import { type Declaration, findOffered, functionCall, toFunctionText, toolConfig, tools } from './functions.ts';
import { responseSchema } from './response-schema.ts';
import { toFieldPath, toRefusal, wordIssue } from './wording.ts';

/** What the simulator reads of a `generateContent` or `countTokens` body. */
export interface ContentRequest {
  system: string;
  /** All texts of the conversation, in order. */
  prompt: string;
  wantsJson: boolean;
  /** JSON Schema with lower-case types; null where none is given. */
  schema: JsonObject | null;
  /** Null: the model's own limit. */
  maxOutputTokens: number | null;
  thinking: ThinkingConfig;
  /** Functions that the model may call now; none where it has a function's answer. */
  offered: readonly Declaration[];
  /** All that counts as prompt: the texts, and declarations, calls and their answers as JSON. */
  countedText: string;
}

/** A field that the API defines and the simulator does not read. */
const unread = z.unknown().optional();
const FIELD = '* GenerateContentRequest.';

/** https://ai.google.dev/api/caching#Part */
const part = z.strictObject({
  text: z.string().optional(),
  thought: unread,
  thoughtSignature: z.string().optional(),
  inlineData: unread,
  fileData: unread,
  functionCall: functionCall.optional(),
  functionResponse: z.looseObject({ name: z.string() }).optional(),
  executableCode: unread,
  codeExecutionResult: unread,
  videoMetadata: unread,
});

/** https://ai.google.dev/api/caching#Content */
const content = z.strictObject({
  role: z.enum(['user', 'model', 'system'], { error: 'Please use a valid role: user, model.' }).optional(),
  parts: z.array(part, {
    error: ({ path = [] }) => `${FIELD}${toFieldPath(path, undefined)}: contents.parts must not be empty.\n`,
  }),
});
const noContents = { error: `${FIELD}contents: contents is not specified\n` };
const notPositive = { error: `${FIELD}generation_config.max_output_tokens: must be positive.\n` };

/** https://ai.google.dev/api/generate-content#generationconfig */
const generationConfig = z.strictObject({
  candidateCount: unread,
  stopSequences: unread,
  maxOutputTokens: z.int(notPositive).min(1, notPositive).optional(),
  temperature: unread,
  topP: unread,
  topK: unread,
  seed: unread,
  responseMimeType: z.string().optional(),
  responseSchema: responseSchema.optional(),
  responseJsonSchema: z.unknown().optional(),
  responseModalities: unread,
  thinkingConfig: z
    .looseObject({ thinkingLevel: z.string().optional(), thinkingBudget: z.int().optional() })
    .optional(),
  presencePenalty: unread,
  frequencyPenalty: unread,
});

/** https://ai.google.dev/api/generate-content#request-body; the API accepts both spellings of a name. */
const bodySchema = z.strictObject({
  contents: z.array(content, noContents).min(1, noContents),
  systemInstruction: content.nullish(),
  system_instruction: content.nullish(),
  generationConfig: generationConfig.nullish(),
  generation_config: generationConfig.nullish(),
  safetySettings: unread,
  tools: tools.optional(),
  toolConfig: toolConfig.optional(),
  cachedContent: unread,
  model: unread,
  labels: unread,
});

/**
 * @param signs whether function calls need their signatures
 * @throws GoogleError 400 that names the field as the provider does
 */
export function readContentRequest(value: unknown, signs: boolean): ContentRequest {
  const parsed = bodySchema.safeParse(value, { error: wordIssue });
  if (!parsed.success) throw toRefusal(parsed.error.issues, value);
  const body = parsed.data;
  const config = body.generationConfig ?? body.generation_config ?? {};
  const schema = config.responseSchema ?? config.responseJsonSchema;
  if (schema !== undefined && config.responseMimeType !== 'application/json') {
    throw invalidArgument(
      `${FIELD}generation_config.response_mime_type: allowed mimetypes with response schema are [application/json], got ${JSON.stringify(config.responseMimeType ?? '')}\n`,
    );
  }
  if (signs) checkThoughtSignatures(body.contents);
  const system = body.systemInstruction ?? body.system_instruction;
  const texts = [system, ...body.contents].flatMap(toTexts);
  return {
    system: toTexts(system).join('\n'),
    prompt: body.contents.map((one) => toTexts(one).join('\n')).join('\n'),
    wantsJson: config.responseMimeType === 'application/json',
    schema: isObject(schema) ? schema : null,
    maxOutputTokens: config.maxOutputTokens ?? null,
    thinking: {
      level: config.thinkingConfig?.thinkingLevel ?? null,
      budget: config.thinkingConfig?.thinkingBudget ?? null,
    },
    offered: findOffered(body.contents, body.tools ?? [], body.toolConfig),
    countedText: [...texts, toFunctionText(body.tools ?? [], body.contents)].join(''),
  };
}

function toTexts(one: z.output<typeof content> | null | undefined): string[] {
  return (one?.parts ?? []).map(({ text = '' }) => text);
}
