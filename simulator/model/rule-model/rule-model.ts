import { answerQuestion } from '../archive/answer.ts';
import { parseArchivePrompt } from '../archive/archive-prompt.ts';
import { toTexts } from '../message-texts.ts';
import { replyToPlanner } from '../planning/reply-to-planner.ts';
import type { MessagesRequest, ModelReply, SimulatedModel } from '../types.ts';
import { replyToTask } from './reply-to-task.ts';

/**
 * A deterministic model: rules choose what a task asks for, the model calls the tools it is offered, and the answer
 * contains only what the tools showed.
 */
export function createRuleModel(): SimulatedModel {
  return {
    reply: (request, room) => replyToPlanner(request, room) ?? replyToLibrarian(request) ?? replyToTask(request, room),
  };
}

/** Answers a librarian's question that came through the Messages API: one message, no tools. Null for a task. */
function replyToLibrarian(request: MessagesRequest): ModelReply | null {
  const [message] = request.messages;
  if (message === undefined || request.messages.length > 1 || (request.tools ?? []).length > 0) return null;
  const prompt = toTexts(message.content).join('\n');
  if (parseArchivePrompt(prompt).question === null) return null;
  const { text, markers } = answerQuestion(prompt, true, null);
  const latency = markers === null || markers.latencyMs === null ? {} : { latencyMs: markers.latencyMs };
  if (markers?.blocked === true) return { ...latency, content: [], refusal: 'The question asks to be refused.' };
  return { ...latency, content: text === '' ? [] : [{ type: 'text', text }] };
}
