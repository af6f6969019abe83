import { z } from 'zod';
import { isObject, type JsonObject } from '../../provider-host/json.ts';
import { invalidArgument } from '../api/google-error.ts';
import type { ServedGemini } from '../api/served-models.ts';
import type { ThinkingConfig } from '../rules/thinking.ts';
import { checkThoughtSignatures } from '../rules/thought-signature.ts';
import {
  type Declaration,
  findFunctionFaults,
  findOffered,
  functionCall,
  functionResponse,
  listDeclarations,
  toFunctionText,
  toolConfig,
  tools,
} from './functions.ts';
import { checkModelRules } from './model-rules.ts';
import { responseSchema } from './response-schema.ts';
import { findSchemaFaults } from './schema-rules.ts';
import { checkTurns } from './turns.ts';
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
  /** Functions that the model may call. */
  offered: readonly Declaration[];
  /** Whether it must call one. */
  mustCall: boolean;
  contents: readonly RequestContent[];
  /** All that counts as prompt, in its order: the texts, and declarations, calls and their answers as JSON. */
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
  functionResponse: functionResponse.optional(),
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
export type RequestContent = z.output<typeof content>;

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
    .strictObject({
      thinkingLevel: z.string().optional(),
      thinkingBudget: z.int().optional(),
      includeThoughts: z.boolean().optional(),
    })
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
 * @param served whose rules a request must keep; null: those of none are checked
 * @throws GoogleError 400 that names the field as the provider does
 */
export function readContentRequest(value: unknown, served: ServedGemini | null): ContentRequest {
  const parsed = bodySchema.safeParse(value, { error: wordIssue });
  if (!parsed.success) throw toRefusal(parsed.error.issues, value);
  const body = parsed.data;
  const offered = body.tools ?? [];
  const config = body.generationConfig ?? body.generation_config ?? {};
  const schema = config.responseSchema ?? config.responseJsonSchema;
  if (schema !== undefined && config.responseMimeType !== 'application/json') {
    throw invalidArgument(
      `${FIELD}generation_config.response_mime_type: allowed mimetypes with response schema are [application/json], got ${JSON.stringify(config.responseMimeType ?? '')}\n`,
    );
  }
  const wantsJson = config.responseMimeType === 'application/json';
  const thinking: ThinkingConfig = {
    level: config.thinkingConfig?.thinkingLevel ?? null,
    budget: config.thinkingConfig?.thinkingBudget ?? null,
  };
  const system = body.systemInstruction ?? body.system_instruction;
  if (served !== null) {
    refuseFaults([
      ...findEmptyParts(body.contents, 'contents'),
      ...findEmptyParts(system ? [system] : [], 'system_instruction'),
      ...findFunctionFaults(offered, body.toolConfig),
      ...(config.responseSchema === undefined
        ? []
        : findSchemaFaults(config.responseSchema, 'GenerateContentRequest.generation_config.response_schema')),
    ]);
    checkModelRules({ thinking, hasFunctions: listDeclarations(offered).length > 0, wantsJson }, served);
    checkTurns(body.contents);
    if (served.alwaysThinks) checkThoughtSignatures(body.contents, served.id);
  }
  return {
    system: toTexts(system).join('\n'),
    prompt: body.contents.map((one) => toTexts(one).join('\n')).join('\n'),
    wantsJson,
    schema: isObject(schema) ? schema : null,
    maxOutputTokens: config.maxOutputTokens ?? null,
    thinking,
    offered: findOffered(offered, body.toolConfig),
    mustCall: body.toolConfig?.functionCallingConfig?.mode === 'ANY',
    contents: body.contents,
    countedText: [...toTexts(system), toFunctionText(offered), ...body.contents.flatMap(toCountedTexts)].join(''),
  };
}

function toTexts(one: RequestContent | null | undefined): string[] {
  return (one?.parts ?? []).map(({ text = '' }) => text);
}

function toCountedTexts({ parts }: RequestContent): string[] {
  return parts.map(({ text = '', functionCall: call, functionResponse: answer }) => {
    const used = call ?? answer;
    return used === undefined ? text : JSON.stringify(used);
  });
}

/** A part without any content, or with an empty text that no signature came with. https://github.com/router-for-me/CLIProxyAPI/issues/1292 */
function findEmptyParts(contents: readonly RequestContent[], name: 'contents' | 'system_instruction'): string[] {
  return contents.flatMap(({ parts }, i) =>
    parts.flatMap(({ text, thought: _thought, thoughtSignature, videoMetadata: _metadata, ...data }, j) => {
      const isText = text !== undefined && (text !== '' || thoughtSignature !== undefined);
      if (isText || Object.values(data).some((one) => one !== undefined)) return [];
      const place = name === 'contents' ? `contents[${i}]` : name;
      return [
        `GenerateContentRequest.${place}.parts[${j}].data: required oneof field 'data' must have one initialized field`,
      ];
    }),
  );
}

/** @throws GoogleError 400 that lists all, one a line */
function refuseFaults(faults: readonly string[]): void {
  if (faults.length > 0) throw invalidArgument(faults.map((fault) => `* ${fault}\n`).join(''));
}
