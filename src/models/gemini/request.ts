import {
  type Content,
  type FunctionDeclaration,
  FunctionCallingConfigMode,
  type GenerateContentConfig,
  type GenerateContentParameters,
  ThinkingLevel,
  type ThinkingConfig,
} from '@google/genai';
import type { Effort } from '../../../queues/effort.ts';
import { toWellFormed } from '../../text/well-formed.ts';
import type { ToolDefinition } from '../format.ts';
import type { ModelRequest } from '../model.ts';
import { type ContentTerms, toContents } from './contents.ts';
import { toGeminiSchema } from './schema.ts';

/** Models before Gemini 3: they think by a budget, and keep to no schema while they may call functions. */
const BEFORE_3 = /^gemini-[12]\b/;

/** `thinkingLevel` knows no more than high. https://ai.google.dev/gemini-api/docs/thinking */
const LEVELS: Record<Effort, ThinkingLevel> = {
  low: ThinkingLevel.LOW,
  medium: ThinkingLevel.MEDIUM,
  high: ThinkingLevel.HIGH,
  xhigh: ThinkingLevel.HIGH,
  max: ThinkingLevel.HIGH,
};
/** Tokens, of all 2.5 models between their least and their most. */
const BUDGETS: Record<Effort, number> = { low: 2_048, medium: 8_192, high: 16_384, xhigh: 24_576, max: 24_576 };

/** The request as the SDK takes it. @param terms how the conversation is sent */
export function toGeminiRequest(
  request: ModelRequest,
  abortSignal: AbortSignal,
  terms: ContentTerms,
): GenerateContentParameters {
  const { model, maxTokens, tools, toolChoice, effort, outputSchema } = toWellFormed(request);
  const system = toSystem(request);
  const isInText = outputSchema !== undefined && isSchemaInText(request);
  return {
    model,
    contents: toContents(toWellFormed(request.messages), terms),
    config: {
      abortSignal,
      maxOutputTokens: maxTokens,
      ...(system.length > 0 && { systemInstruction: { role: 'system', parts: system.map((text) => ({ text })) } }),
      ...(tools.length > 0 && { tools: [{ functionDeclarations: tools.map(toDeclaration) }] }),
      ...(tools.length > 0 &&
        toolChoice === 'none' && {
          toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.NONE } },
        }),
      ...(effort !== undefined && { thinkingConfig: toThinking(model, effort) }),
      ...(outputSchema !== undefined && !isInText && toJsonConfig(outputSchema)),
    },
  };
}

/** What is counted instead of the request: the endpoint takes no system instruction and no tools from a key, so that they are its first text. */
export function toCountedRequest(request: ModelRequest, terms: ContentTerms): Content[] {
  const { tools, messages } = toWellFormed(request);
  const texts = [...toSystem(request), ...(tools.length > 0 ? [JSON.stringify(tools.map(toDeclaration))] : [])];
  const first: Content[] = texts.length === 0 ? [] : [{ role: 'user', parts: texts.map((text) => ({ text })) }];
  return [...first, ...toContents(messages, terms)];
}

function toSystem(request: ModelRequest): string[] {
  const texts = toWellFormed(request.system).flatMap(({ text }) => (text === '' ? [] : [text]));
  const { outputSchema } = request;
  if (outputSchema === undefined || !isSchemaInText(request)) return texts;
  return [
    ...texts,
    `Your final answer is one JSON value that fits this JSON Schema, without a word or a fence around it:\n${JSON.stringify(outputSchema)}`,
  ];
}

/** "Function calling with a response mime type: 'application/json' is unsupported" */
function isSchemaInText({ model, tools }: ModelRequest): boolean {
  return tools.length > 0 && BEFORE_3.test(model);
}

/** A function without parameters has none: the API refuses an object without properties. */
function toDeclaration({ name, description, input_schema: schema }: ToolDefinition): FunctionDeclaration {
  const parameters = toGeminiSchema(schema);
  return { name, description, ...(parameters['type'] === 'OBJECT' && { parameters }) };
}

function toJsonConfig(schema: Record<string, unknown>): GenerateContentConfig {
  return { responseMimeType: 'application/json', responseSchema: toGeminiSchema(schema) };
}

function toThinking(model: string, effort: Effort): ThinkingConfig {
  return BEFORE_3.test(model) ? { thinkingBudget: BUDGETS[effort] } : { thinkingLevel: LEVELS[effort] };
}
