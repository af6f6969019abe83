import { z } from 'zod';
import { responseSchema } from './response-schema.ts';

/** https://ai.google.dev/api/caching#FunctionDeclaration */
const declaration = z.looseObject({
  name: z.string(),
  parameters: responseSchema.optional(),
  parametersJsonSchema: z.looseObject({}).optional(),
});
export type Declaration = z.output<typeof declaration>;

/** The provider's own tools are not simulated. */
export const tools = z.array(z.looseObject({ functionDeclarations: z.array(declaration).optional() }));

export const functionCall = z.looseObject({ name: z.string(), args: z.record(z.string(), z.unknown()).default({}) });

/** https://ai.google.dev/api/caching#FunctionCallingConfig */
export const toolConfig = z.looseObject({
  functionCallingConfig: z
    .looseObject({ mode: z.string().optional(), allowedFunctionNames: z.array(z.string()).optional() })
    .optional(),
});

type Tools = z.output<typeof tools>;
interface Content {
  parts: readonly { functionCall?: object | undefined; functionResponse?: object | undefined }[];
}

/** The functions that the simulated model may call: those allowed, until it gets a function's answer. */
export function findOffered(
  contents: readonly Content[],
  offered: Tools,
  config: z.output<typeof toolConfig> | undefined,
): Declaration[] {
  const { mode, allowedFunctionNames: allowed } = config?.functionCallingConfig ?? {};
  const isAnswered = contents.at(-1)?.parts.some((part) => part.functionResponse !== undefined) === true;
  if (isAnswered || mode?.toUpperCase() === 'NONE') return [];
  const all = offered.flatMap(({ functionDeclarations = [] }) => functionDeclarations);
  return all.filter(({ name }) => allowed === undefined || allowed.includes(name));
}

/** What declarations, calls and answers add to a prompt; empty without functions. */
export function toFunctionText(offered: Tools, contents: readonly Content[]): string {
  const used = contents.flatMap(({ parts }) =>
    parts.flatMap((part) => part.functionCall ?? part.functionResponse ?? []),
  );
  const all = [...offered, ...used];
  return all.length === 0 ? '' : JSON.stringify(all);
}
