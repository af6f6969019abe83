import type { MessagesRequest, ReplyRoom } from '../types.ts';
import { isObject, type JsonObject } from '../../provider-host/json.ts';
import { stripMarkers } from '../markers.ts';
import { toTexts } from '../message-texts.ts';
import { findStatedSchema } from '../stated-schema.ts';

/** The coordinator's calls, by the `title` of the schema that the reply must fit. */
const TITLES = ['plan', 'synthesis', 'condensation', 'outline', 'section'] as const;
type PlanningTitle = (typeof TITLES)[number];

export interface GivenFinding {
  id: string;
  kind: string;
  text: string;
}

/** One structured call of the coordinator, parsed from its tagged blocks. An absent block is empty. */
export interface PlanningPrompt {
  title: PlanningTitle;
  schema: JsonObject;
  /** Without markers. */
  goal: string;
  /** The text whose markers count: the goal, or the whole prompt without one. */
  marked: string;
  workspace: string | null;
  files: { path: string; bytes: number }[];
  /** The archive's answer that the prompt contains, or null. */
  archive: string | null;
  findings: GivenFinding[];
  /** Title and brief of the section to write. */
  section: string;
  limits: { maxTasks: number; maxSonnet: number };
  failed: string[];
  /** Whether the coordinator sent the last reply back. */
  isRepair: boolean;
  /** Characters that the reply may take. */
  room: number;
}

/** Null for a request that is not a structured call of the coordinator, such as a task or a question. */
export function parsePlanningPrompt(request: MessagesRequest, reply: ReplyRoom): PlanningPrompt | null {
  const schema = findStatedSchema(request);
  const title = TITLES.find((one) => one === schema?.title);
  if (title === undefined || schema === null) return null;
  const text = toTexts(request.messages[0]?.content ?? '').join('\n');
  const findings = toFindings(text);
  const rest = text.replace(FINDINGS, ''); // tags in a finding's text are not blocks of the prompt
  const goal = block(rest, 'goal') ?? '';
  return {
    title,
    schema,
    goal: stripMarkers(goal),
    marked: goal === '' ? text : goal,
    workspace: block(rest, 'workspace'),
    files: toLines(block(rest, 'files')).map(toFile),
    archive: block(rest, 'archive'),
    findings,
    section: stripMarkers(block(rest, 'section') ?? ''),
    limits: toLimits(block(rest, 'limits')),
    failed: toLines(block(rest, 'failed')),
    isRepair: request.messages.length > 1,
    room: reply.characters,
  };
}

const FINDINGS = /^<findings>[\s\S]*^<\/findings>$/m;

function toFindings(text: string): GivenFinding[] {
  const shown = FINDINGS.exec(text)?.[0] ?? '';
  return [...shown.matchAll(/<finding\s+id="([^"]*)"([^>]*)>([\s\S]*?)<\/finding>/g)].map(
    ([, id = '', attributes = '', said = '']) => ({
      id,
      kind: /\bkind="([^"]*)"/.exec(attributes)?.[1] ?? 'other',
      text: said.trim(),
    }),
  );
}

function block(text: string, name: string): string | null {
  return new RegExp(`^<${name}>\\s*([\\s\\S]*?)\\s*</${name}>`, 'm').exec(text)?.[1] ?? null;
}

function toLines(text: string | null): string[] {
  return (text ?? '').split('\n').filter((line) => line.trim() !== '');
}

function toFile(line: string): { path: string; bytes: number } {
  const [path = '', bytes = ''] = line.split('\t');
  return { path: path.trim(), bytes: Number.parseInt(bytes, 10) || 0 };
}

function toLimits(text: string | null): PlanningPrompt['limits'] {
  let given: unknown;
  try {
    given = JSON.parse(text ?? '{}');
  } catch {
    given = {}; // without readable limits the defaults below apply
  }
  const limit = (name: string, otherwise: number): number =>
    isObject(given) && typeof given[name] === 'number' ? given[name] : otherwise;
  return { maxTasks: limit('max_tasks', 5_000), maxSonnet: limit('max_sonnet', 0) };
}
