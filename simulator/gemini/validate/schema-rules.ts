import type { z } from 'zod';
import type { responseSchema } from './response-schema.ts';

type Schema = z.output<typeof responseSchema>;

const NUMBERS = new Set(['number', 'integer']);
const STRING_FORMATS = new Set(['enum', 'date-time']);

/**
 * What the API asks of a `Schema` beyond its field names, a line for each place where it is broken. Its words, by public reports of them:
 * https://github.com/anomalyco/opencode/issues/11889 (properties and required), https://github.com/browser-use/browser-use/issues/3786
 * (an object without properties), https://github.com/kkrishnan90/gemini-desktop/pull/7 (an array without items),
 * https://github.com/home-assistant/core/pull/122403 (type and format), https://github.com/Kilo-Org/kilocode/pull/11955 (required).
 * @param path as the API names it: `GenerateContentRequest.tools[0].function_declarations[3].parameters`
 */
export function findSchemaFaults(schema: Schema, path: string): string[] {
  const { type, anyOf } = schema;
  const inner = (anyOf ?? []).flatMap((one, i) => findSchemaFaults(one, `${path}.any_of[${i}]`));
  if (type === undefined) return anyOf === undefined ? [`${path}.type: must be specified`] : inner;
  return [
    ...inner,
    ...findObjectFaults(schema, path),
    ...findArrayFaults(schema, path),
    ...findValueFaults(schema, path),
  ];
}

function findObjectFaults({ type, properties, required }: Schema, path: string): string[] {
  const names = Array.isArray(required) ? required.map(String) : [];
  if (type !== 'object') {
    return [
      ...(properties === undefined ? [] : [`${path}.properties: only allowed for OBJECT type`]),
      ...(required === undefined ? [] : [`${path}.required: only allowed for OBJECT type`]),
    ];
  }
  const known = properties ?? {};
  return [
    ...(Object.keys(known).length === 0 ? [`${path}.properties: should be non-empty for OBJECT type`] : []),
    ...names.flatMap((name, i) => (name in known ? [] : [`${path}.required[${i}]: property is not defined`])),
    ...Object.entries(known).flatMap(([name, one]) => findSchemaFaults(one, `${path}.properties[${name}]`)),
  ];
}

function findArrayFaults({ type, items }: Schema, path: string): string[] {
  if (type !== 'array')
    return items === undefined ? [] : [`${path}.items: field predicate failed: $type == Type.ARRAY`];
  return items === undefined ? [`${path}.items: missing field.`] : findSchemaFaults(items, `${path}.items`);
}

function findValueFaults({ type = '', enum: values, format }: Schema, path: string): string[] {
  const words = Array.isArray(values) ? values : [];
  return [
    ...(values !== undefined && type !== 'string' ? [`${path}.enum: only allowed for STRING type`] : []),
    ...words.flatMap((word, i) => (word === '' ? [`${path}.enum[${i}]: cannot be empty`] : [])),
    ...(typeof format === 'string' ? findFormatFaults(type, format, path) : []),
  ];
}

function findFormatFaults(type: string, format: string, path: string): string[] {
  if (NUMBERS.has(type)) return [];
  if (type !== 'string') return [`${path}.format: format is only supported for NUMBER, INTEGER and STRING type`];
  return STRING_FORMATS.has(format)
    ? []
    : [`${path}.format: only 'enum' and 'date-time' are supported for STRING type`];
}
