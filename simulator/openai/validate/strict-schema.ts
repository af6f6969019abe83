import { isObject } from '../../provider-host/json.ts';
import { invalidRequest } from '../api/api-error.ts';

/** https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
const MOST_PROPERTIES = 5_000;
const MOST_DEPTH = 10;
const REFUSED = [
  'allOf',
  'oneOf',
  'not',
  'dependentRequired',
  'dependentSchemas',
  'if',
  'then',
  'else',
  'patternProperties',
  'prefixItems',
  'minLength',
  'maxLength',
  'uniqueItems',
  'contains',
  'minProperties',
  'maxProperties',
  'propertyNames',
  'unevaluatedProperties',
  'default',
];

/**
 * The subset of JSON Schema that strict mode takes: objects are closed, all of their properties required, and some keywords
 * are unknown. Words: https://github.com/dottxt-ai/outlines/issues/844, https://github.com/moeru-ai/xsai/issues/202
 * @param subject such as `response_format 'plan'`
 * @throws ChatApiError 400
 */
export function checkStrictSchema(schema: Record<string, unknown>, subject: string, param: string): void {
  const refuse = (context: readonly string[], words: string): never => {
    const place = context.length === 1 ? `('${context[0]}',)` : `(${context.map((part) => `'${part}'`).join(', ')})`;
    throw invalidRequest(`Invalid schema for ${subject}: In context=${place}, ${words}`, param);
  };
  if (schema.type !== 'object' || schema.anyOf !== undefined) {
    const type = JSON.stringify(schema.type ?? null);
    throw invalidRequest(
      `Invalid schema for ${subject}: schema must be a JSON Schema of 'type: "object"', got 'type: ${type}'.`,
      param,
    );
  }
  let properties = 0;
  const visit = (node: unknown, context: readonly string[], depth: number): void => {
    if (!isObject(node)) return refuse(context, 'schema must be an object.');
    if (depth > MOST_DEPTH) return refuse(context, `nesting deeper than ${MOST_DEPTH} levels is not supported.`);
    const refused = REFUSED.find((keyword) => keyword in node);
    if (refused !== undefined) return refuse(context, `'${refused}' is not permitted.`);
    if (node.$ref === undefined && node.anyOf === undefined && node.enum === undefined && node.const === undefined) {
      if (node.type === undefined) return refuse(context, "schema must have a 'type' key.");
    }
    const own = isObject(node.properties) ? node.properties : {};
    if (toTypes(node.type).includes('object')) {
      if (node.additionalProperties !== false) {
        return refuse(context, "'additionalProperties' is required to be supplied and to be false.");
      }
      const required = Array.isArray(node.required) ? node.required : [];
      const missing = Object.keys(own).find((name) => !required.includes(name));
      if (missing !== undefined) {
        const words = `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
        return refuse(context, words);
      }
    }
    properties += Object.keys(own).length;
    if (properties > MOST_PROPERTIES) return refuse(context, `more than ${MOST_PROPERTIES} properties.`);
    for (const [name, one] of Object.entries(own)) visit(one, [...context, 'properties', name], depth + 1);
    if (toTypes(node.type).includes('array')) {
      if (node.items === undefined) return refuse(context, 'array schema missing items.');
      visit(node.items, [...context, 'items'], depth + 1);
    }
    for (const [i, one] of (Array.isArray(node.anyOf) ? node.anyOf : []).entries()) {
      visit(one, [...context, 'anyOf', String(i)], depth);
    }
    for (const field of ['$defs', 'definitions']) {
      const named = node[field];
      if (isObject(named))
        for (const [name, one] of Object.entries(named)) visit(one, [...context, field, name], depth);
    }
  };
  visit(schema, [], 1);
}

function toTypes(type: unknown): unknown[] {
  return Array.isArray(type) ? type : [type];
}
