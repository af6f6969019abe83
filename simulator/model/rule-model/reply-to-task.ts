import type Anthropic from '@anthropic-ai/sdk';
import { toTexts } from '../message-texts.ts';
import { fillSchema } from '../schema-fill.ts';
import { toFillerCalls } from '../task/filler-calls.ts';
import { toFinalText } from '../task/final-text.ts';
import { toTaskView } from '../task/task-view.ts';
import type { Call, RuleMatch, TaskView } from '../task/types.ts';
import type { MessagesRequest, ModelReply, ReplyRoom } from '../types.ts';
import { chooseRule } from './choose-rule.ts';

const MAX_TURNS = 60; // no rule needs more; the limit ends a conversation whose tools answer in an unknown form

/** The next turn of a task: tool calls while the chosen rule has some, then the final answer. */
export function replyToTask(request: MessagesRequest, room: ReplyRoom): ModelReply {
  const view = toTaskView(request, room);
  const { directives } = view;
  const latency = directives.latencyMs === null ? {} : { latencyMs: directives.latencyMs };
  if (directives.refuse) return { ...latency, content: [], refusal: 'The task asks the simulated model to refuse.' };
  const match = chooseRule(view);
  const calls = isRepair(request) ? [] : limitCalls(request, view, chooseCalls(request, view, match));
  if (calls.length > 0) {
    const uses = calls.map((call) => ({ type: 'tool_use' as const, name: call.name, input: call.input }));
    return { ...latency, content: [{ type: 'text', text: announce(calls) }, ...uses] };
  }
  const text = toFinalText(view, match.answer(), isRepair(request));
  return { ...latency, content: [{ type: 'text', text }] };
}

function chooseCalls(request: MessagesRequest, view: TaskView, match: RuleMatch): Call[] {
  const forced = toForcedCall(request, match);
  if (forced !== null) return [forced];
  const turn = request.messages.filter((message) => message.role === 'assistant').length;
  const planned = view.tools.size === 0 || turn >= MAX_TURNS ? [] : match.next();
  const wanted = view.directives.turns;
  if (wanted !== null && turn >= wanted - 1) return [];
  const mustCall = wanted !== null || request.tool_choice?.type === 'any' || view.steps.length === 0;
  return planned.length > 0 || !mustCall ? planned : toFillerCalls(view, turn);
}

/** Keeps calls of offered tools only, and one call only where the request disables parallel calls. */
function limitCalls(request: MessagesRequest, view: TaskView, calls: readonly Call[]): Call[] {
  const choice = request.tool_choice;
  if (choice?.type === 'none') return [];
  const offered = calls.filter((call) => view.tools.has(call.name));
  const isSerial = choice !== undefined && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use;
  return isSerial ? offered.slice(0, 1) : offered;
}

/** The call that `tool_choice` of type `tool` forces, or null without one. */
function toForcedCall(request: MessagesRequest, match: RuleMatch): Call | null {
  const choice = request.tool_choice;
  if (choice?.type !== 'tool') return null;
  const tool = request.tools?.find((one): one is Anthropic.Tool => 'input_schema' in one && one.name === choice.name);
  const input = fillSchema(tool?.input_schema ?? { type: 'object' }, match.answer().values);
  return { name: choice.name, input: input as Record<string, unknown> };
}

/** Whether the worker sent the last answer back because it broke the task's schema. */
function isRepair(request: MessagesRequest): boolean {
  const last = request.messages.at(-1);
  return last !== undefined && toTexts(last.content).some((text) => text.includes('does not fit the schema'));
}

function announce(calls: readonly Call[]): string {
  const names = [...new Set(calls.map((call) => call.name))].join(', ');
  return `Looking into it with ${names}.`;
}
