import { z } from 'zod';
import { responseSchema } from './response-schema.ts';
import { findSchemaFaults } from './schema-rules.ts';

/** A field that the API defines and the simulator does not read. */
const unread = z.unknown().optional();

/** https://ai.google.dev/api/caching#FunctionDeclaration */
const declaration = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  behavior: unread,
  parameters: responseSchema.optional(),
  parametersJsonSchema: z.looseObject({}).optional(),
  response: unread,
  responseJsonSchema: unread,
});
export type Declaration = z.output<typeof declaration>;

/** The provider's own tools are not simulated. https://ai.google.dev/api/caching#Tool */
export const tools = z.array(
  z.strictObject({
    functionDeclarations: z.array(declaration).optional(),
    googleSearch: unread,
    codeExecution: unread,
    urlContext: unread,
  }),
);

/** https://ai.google.dev/api/caching#FunctionCall */
export const functionCall = z.strictObject({
  id: z.string().optional(),
  name: z.string(),
  args: z.record(z.string(), z.unknown()).default({}),
});

/** `response` is a `Struct`: a text or a list is refused. https://ai.google.dev/api/caching#FunctionResponse */
export const functionResponse = z.strictObject({
  id: z.string().optional(),
  name: z.string(),
  response: z.record(z.string(), z.unknown()),
  parts: unread,
  scheduling: unread,
  willContinue: unread,
});

/** https://ai.google.dev/api/caching#FunctionCallingConfig */
export const toolConfig = z.strictObject({
  functionCallingConfig: z
    .strictObject({
      mode: z.enum(['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED']).optional(),
      allowedFunctionNames: z.array(z.string()).optional(),
    })
    .optional(),
  retrievalConfig: unread,
});

export type Tools = z.output<typeof tools>;
export type ToolConfig = z.output<typeof toolConfig>;

const NAME = /^[A-Za-z_][\w.:-]{0,127}$/;
const PARAMETER = /^[A-Za-z_]\w{0,63}$/;

export function listDeclarations(offered: Tools): Declaration[] {
  return offered.flatMap(({ functionDeclarations = [] }) => functionDeclarations);
}

/**
 * What the API asks of declarations beyond their field names, a line for each place. The words:
 * https://github.com/google-gemini/gemini-cli/issues/2966 (names), https://github.com/UKGovernmentBEIS/inspect_ai/issues/2462 (config)
 */
export function findFunctionFaults(offered: Tools, config: ToolConfig | undefined): string[] {
  const listed = offered.flatMap(({ functionDeclarations = [] }, tool) =>
    functionDeclarations.map((one, i) => ({
      one,
      path: `GenerateContentRequest.tools[${tool}].function_declarations[${i}]`,
    })),
  );
  const names = new Set<string>();
  const faults = listed.flatMap(({ one, path }) => {
    const isTwice = names.has(one.name);
    names.add(one.name);
    return [
      ...findDeclarationFaults(one, path),
      ...(isTwice ? [`${path}.name: Duplicate function declaration found: ${one.name}`] : []),
    ];
  });
  return [...faults, ...findConfigFaults(names, config)];
}

function findDeclarationFaults({ name, parameters, parametersJsonSchema }: Declaration, path: string): string[] {
  const unfit = Object.keys(parameters?.properties ?? {}).filter((one) => !PARAMETER.test(one));
  return [
    ...(NAME.test(name)
      ? []
      : [
          `${path}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.`,
        ]),
    ...(parameters !== undefined && parametersJsonSchema !== undefined
      ? [`${path}: parameters and parameters_json_schema cannot both be set.`]
      : []),
    ...(parameters === undefined ? [] : findSchemaFaults(parameters, `${path}.parameters`)),
    ...(parameters !== undefined && parameters.type !== 'object'
      ? [`${path}.parameters: schema should be of type OBJECT.`]
      : []),
    ...unfit.map((one) => `${path}.parameters.properties[${one}]: Invalid parameter name.`),
  ];
}

function findConfigFaults(names: ReadonlySet<string>, config: ToolConfig | undefined): string[] {
  const calling = config?.functionCallingConfig;
  if (calling === undefined) return [];
  if (names.size === 0) return ['Function calling config is set without function_declarations.'];
  const { mode = 'AUTO', allowedFunctionNames: allowed } = calling;
  const path = 'GenerateContentRequest.tool_config.function_calling_config.allowed_function_names';
  if (allowed === undefined) return [];
  if (mode !== 'ANY' && mode !== 'VALIDATED') return [`${path}: only set when the mode is ANY or VALIDATED.`];
  return allowed.flatMap((name) => (names.has(name) ? [] : [`${path}: ${name} is not a declared function.`]));
}

/** The functions that the model may call. */
export function findOffered(offered: Tools, config: ToolConfig | undefined): Declaration[] {
  const { mode, allowedFunctionNames: allowed } = config?.functionCallingConfig ?? {};
  if (mode === 'NONE') return [];
  return listDeclarations(offered).filter(({ name }) => allowed === undefined || allowed.includes(name));
}

/** What declarations add to a prompt; empty without functions. */
export function toFunctionText(offered: Tools): string {
  return offered.length === 0 ? '' : JSON.stringify(offered);
}
