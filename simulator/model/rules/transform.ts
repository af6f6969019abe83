import { extname } from 'node:path';
import type { JsonObject } from '../../provider-host/json.ts';
import type { Call, Rule, TaskView } from '../task/types.ts';
import { findRequest } from '../task/mentions.ts';
import { firstLine } from '../task/reading.ts';

const OPERATORS: Record<string, string> = {
  is: 'eq',
  equals: 'eq',
  '=': 'eq',
  '==': 'eq',
  'is not': 'ne',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
  contains: 'contains',
};
const CONDITION =
  /\bwhere\s+["'`]?(\w+(?:\.\w+)*)["'`]?\s+(is not|is|equals|==|=|!=|<=|>=|<|>|contains)\s+(?:"([^"]*)"|'([^']*)'|([\w.-]+))/gi;

/** Sorts, filters, counts and converts the rows of a file or of the task's data with the transform tools. */
export const transform: Rule = (view) => {
  const asks =
    view.task.kind === 'transform' ||
    findRequest(view.verbs, 'convert|transform|filter|sort|group|select|turn') !== undefined;
  const call = asks ? toCall(view) : null;
  if (call === null || !view.tools.has(call.name)) return null;
  const step = view.steps.find((one) => one.name === call.name && !isFormatError(one.content));
  return {
    next: () => (step === undefined ? [call] : []),
    answer() {
      if (step === undefined) return { text: 'Nothing was transformed.', values: {} };
      if (step.isError) {
        const problem = `The transformation failed: ${firstLine(step)}`;
        return { text: problem, values: { ok: false, summary: problem } };
      }
      const rows = parseRows(step.content);
      const count = rows?.length ?? step.content.trim().split('\n').length;
      const text = `Transformed with ${call.name}:\n${step.content.slice(0, 4_000)}`;
      return {
        text,
        values: {
          ok: true,
          rows: rows ?? step.content,
          items: rows ?? [],
          count,
          result: step.content,
          output: step.content,
          summary: text,
        },
      };
    },
  };
};

function toCall(view: TaskView): Call | null {
  const sources = view.files.filter((path) => /\.(?:csv|tsv|json|jsonl|ndjson)$/i.test(path));
  const target = sources.length > 1 ? sources.at(-1) : undefined;
  const [file] = sources;
  const { data, dataText } = view.task;
  if (file === undefined && data === undefined) return null;
  const isCsv = file === undefined ? typeof data === 'string' : /\.[ct]sv$/i.test(file);
  const to = toFormat(view.text, target);
  const input = {
    ...(file === undefined ? { data: isCsv ? data : dataText } : { file }),
    ...toRowSteps(view.text),
    ...(to === undefined ? {} : { to }),
    ...(target === undefined ? {} : { out_file: target }),
  };
  return { name: isCsv ? 'csv_transform' : 'json_transform', input };
}

function toRowSteps(text: string): JsonObject {
  const where = [...text.matchAll(CONDITION)].map(([, field, operator, ...values]) => ({
    field,
    op: OPERATORS[(operator ?? 'is').toLowerCase()],
    value: toValue(values.find((value) => value !== undefined) ?? ''),
  }));
  const group = /\b(?:group(?:ed)?|count(?:ed)?)\b[\s\S]*?\b(?:by|per)\s+["'`]?(\w+(?:\.\w+)*)/i.exec(text)?.[1];
  const sort = /\bsort(?:ed)?\b[\s\S]*?\bby\s+["'`]?(\w+(?:\.\w+)*)["'`]?(\s+(?:in\s+)?desc\w*)?/i.exec(text);
  const limit = /\b(?:first|top|limit(?:\s+to)?)\s+(\d+)\b/i.exec(text)?.[1];
  const fields =
    /\b(?:select|keep)\s+(?:only\s+)?(?:the\s+)?(?:columns?|fields?)?\s*((?:["'`]?[\w.]+["'`]?(?:\s*,\s*|\s+and\s+))*["'`]?[\w.]+["'`]?)/i.exec(
      text,
    )?.[1];
  const select = fields?.split(/\s*,\s*|\s+and\s+/).map((field) => field.replaceAll(/["'`]/g, ''));
  return {
    ...(where.length > 0 ? { where } : {}),
    ...(group === undefined ? {} : { group_count: group }),
    ...(sort === null ? {} : { sort_by: sort[1], ...(sort[2] === undefined ? {} : { descending: true }) }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(select === undefined ? {} : { select }),
  };
}

function toFormat(text: string, target: string | undefined): string | undefined {
  const said = /\b(?:to|as|into)\s+(csv|jsonl?)\b/i.exec(text)?.[1]?.toLowerCase();
  return said ?? (target === undefined ? undefined : extname(target).slice(1).toLowerCase());
}

/** A number only if it is written as JSON writes it: `007` and an id beyond 2^53 are text. */
function toValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Whether the result refuses a call that broke the tool's schema. A fault made such a call, not this rule. */
function isFormatError(content: string): boolean {
  return content.includes('breaks its schema');
}

function parseRows(content: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(content);
    return Array.isArray(value) ? value : null;
  } catch {
    return null; // CSV, or a message about the written file
  }
}
