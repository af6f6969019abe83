import type Anthropic from '@anthropic-ai/sdk';
import { thinkAboutArchive } from '../archive/answer.ts';
import { parseArchivePrompt } from '../archive/archive-prompt.ts';
import type { Brain, BrainReply, MessagesRequest } from '../types.ts';
import { toFillerCalls } from '../task/filler-calls.ts';
import { toFinalText } from '../task/final-text.ts';
import type { Call, Intent, IntentRule, Scene } from '../task/types.ts';
import { askArchive } from '../rules/ask-archive.ts';
import { count } from '../rules/count.ts';
import { describe } from '../rules/describe.ts';
import { findings, searchFindings } from '../rules/findings.ts';
import { askGit, commit } from '../rules/git.ts';
import { handBack } from '../rules/hand-back.ts';
import { http } from '../rules/http.ts';
import { replace } from '../rules/replace.ts';
import { run } from '../rules/run.ts';
import { say } from '../rules/say.ts';
import { list, search } from '../rules/search.ts';
import { survey } from '../rules/survey.ts';
import { transform } from '../rules/transform.ts';
import { write } from '../rules/write.ts';
import { replyToPlanner } from '../planning/reply-to-planner.ts';
import { toScene } from '../task/task-view.ts';
import { fillSchema } from '../schema-fill.ts';
import { toTexts } from '../message-texts.ts';

/** What changes something; a task may ask for several, done in this order. */
const ACTIONS: readonly IntentRule[] = [transform, write, replace, run, commit];
/** What only looks; the first that fits is the task. */
const QUESTIONS: readonly IntentRule[] = [say, findings, http, askGit, count, search, list];
const MAX_TURNS = 60; // no plan needs more; a conversation that long goes wrong

/**
 * A deterministic stand-in for a model: rules choose what a task wants, the tools it is offered are really used, and
 * the answer says only what they showed.
 */
export function createRuleBrain(): Brain {
  return { reply };
}

function reply(request: MessagesRequest): BrainReply {
  const planned = replyToPlanner(request);
  if (planned !== null) return planned;
  const asked = toArchivePrompt(request);
  if (asked !== null) return answerFromArchive(asked);
  const scene = toScene(request);
  const { directives } = scene;
  const latency = directives.latencyMs === null ? {} : { latencyMs: directives.latencyMs };
  if (directives.refuse) return { ...latency, content: [], refusal: 'The task asks the simulated model to refuse.' };
  const intent = chooseIntent(scene);
  const turn = request.messages.filter((message) => message.role === 'assistant').length;
  const calls = isRepair(request) ? [] : limitCalls(request, scene, toCalls(request, scene, intent, turn));
  if (calls.length > 0) {
    const uses = calls.map((call) => ({ type: 'tool_use' as const, name: call.name, input: call.input }));
    return { ...latency, content: [{ type: 'text', text: announce(calls) }, ...uses] };
  }
  const text = toFinalText(scene, intent.answer(), isRepair(request));
  return { ...latency, content: [{ type: 'text', text }] };
}

/** A librarian's question in another vendor's clothes: one message, no tools. Null for a task. */
function toArchivePrompt(request: MessagesRequest): string | null {
  const [message] = request.messages;
  if (message === undefined || request.messages.length > 1 || (request.tools ?? []).length > 0) return null;
  const prompt = toTexts(message.content).join('\n');
  return parseArchivePrompt(prompt).question === null ? null : prompt;
}

function answerFromArchive(prompt: string): BrainReply {
  const { text, markers } = thinkAboutArchive(prompt, true, null);
  const latency = markers === null || markers.latencyMs === null ? {} : { latencyMs: markers.latencyMs };
  if (markers?.blocked === true) return { ...latency, content: [], refusal: 'The question asks to be refused.' };
  return { ...latency, content: text === '' ? [] : [{ type: 'text', text }] };
}

function toCalls(request: MessagesRequest, scene: Scene, intent: Intent, turn: number): Call[] {
  const forced = toForcedCall(request, intent);
  if (forced !== null) return [forced];
  const planned = scene.tools.size === 0 || turn >= MAX_TURNS ? [] : intent.next();
  const wanted = scene.directives.turns;
  if (wanted !== null && turn >= wanted - 1) return [];
  const mustCall = wanted !== null || request.tool_choice?.type === 'any' || scene.steps.length === 0;
  return planned.length > 0 || !mustCall ? planned : toFillerCalls(scene, turn);
}

/** Only tools on offer, and one at a time where the request wants that. */
function limitCalls(request: MessagesRequest, scene: Scene, calls: readonly Call[]): Call[] {
  const choice = request.tool_choice;
  if (choice?.type === 'none') return [];
  const offered = calls.filter((call) => scene.tools.has(call.name));
  const isSerial = choice !== undefined && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use;
  return isSerial ? offered.slice(0, 1) : offered;
}

function toForcedCall(request: MessagesRequest, intent: Intent): Call | null {
  const choice = request.tool_choice;
  if (choice?.type !== 'tool') return null;
  const tool = request.tools?.find((one): one is Anthropic.Tool => 'input_schema' in one && one.name === choice.name);
  const input = fillSchema(tool?.input_schema ?? { type: 'object' }, intent.answer().values);
  return { name: choice.name, input: input as Record<string, unknown> };
}

function chooseIntent(scene: Scene): Intent {
  const back = askArchive(scene) ?? survey(scene) ?? handBack(scene);
  if (back !== null) return back;
  const actions = ACTIONS.flatMap((rule) => rule(scene) ?? []);
  if (actions.length > 0) return inSequence(actions);
  for (const rule of QUESTIONS) {
    const intent = rule(scene);
    if (intent !== null) return intent;
  }
  const isBlind = !scene.tools.has('read') && !scene.tools.has('glob') && scene.tools.has('findings');
  return (isBlind && scene.task.data === undefined ? searchFindings(scene) : null) ?? describe(scene) ?? NOTHING;
}

const NOTHING: Intent = { next: () => [], answer: () => ({ text: 'Nothing to do.', values: {} }) };

/** One after the other: the next begins when nothing is left to do of the one before. */
function inSequence(intents: readonly Intent[]): Intent {
  return {
    next: () => intents.map((intent) => intent.next()).find((calls) => calls.length > 0) ?? [],
    answer: () => {
      const answers = intents.map((intent) => intent.answer());
      const text = answers.map((answer) => answer.text).join('\n');
      return { text, values: { ...Object.assign({}, ...answers.map((answer) => answer.values)), summary: text } };
    },
  };
}

function isRepair(request: MessagesRequest): boolean {
  const last = request.messages.at(-1);
  return last !== undefined && toTexts(last.content).some((text) => text.includes('does not fit the schema'));
}

function announce(calls: readonly Call[]): string {
  const names = [...new Set(calls.map((call) => call.name))].join(', ');
  return `Looking into it with ${names}.`;
}
