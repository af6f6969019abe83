import type { ModelRequest } from '../../../src/models/model.ts';
import { createScriptedModel, type Step } from './scripted-model.ts';

/** Title of the schema of a structured call; empty: the call of a task. */
export function titleOf(request: ModelRequest): string {
  const title = request.outputSchema?.['title'];
  return typeof title === 'string' ? title : '';
}

/** The first user message of a call. */
export function promptOf(request: ModelRequest): string {
  const content = request.messages[0]?.content;
  return typeof content === 'string' ? content : JSON.stringify(content);
}

/** Ids of the findings in a call. */
export function idsGiven(request: ModelRequest): string[] {
  return [...promptOf(request).matchAll(/<finding id=\\?"([^"\\]+)/g)].map((match) => match[1] ?? '');
}

interface PlannedTask {
  id: string;
  description: string;
  kind?: string;
  model?: string;
  reason?: string;
  depends_on?: string[];
  for_each?: string[];
}

/** A planner that always answers with this plan. */
export function toPlanReply(tasks: PlannedTask[]): string {
  return JSON.stringify({
    approach: 'one after the other',
    tasks: tasks.map((task) => ({ kind: 'other', model: 'haiku', ...task })),
  });
}

/** A synthesis that cites every finding it was given. */
function toSynthesisReply(request: ModelRequest): string {
  const ids = idsGiven(request);
  return JSON.stringify({ answer: `Done. [${ids.join(', ')}]`, citations: ids });
}

/** One model for coordinator and workers: returns the given plan, one word for each task, and a synthesis. */
export function createMissionModel(
  tasks: PlannedTask[],
  answers: {
    plan?: (request: ModelRequest, call: number) => Step | Promise<Step>;
    task?: (request: ModelRequest) => Step | Promise<Step>;
    synthesis?: (request: ModelRequest) => Step;
  } = {},
): ReturnType<typeof createScriptedModel> {
  let plans = 0;
  return createScriptedModel((request) => {
    switch (titleOf(request)) {
      case 'plan':
        plans += 1;
        return answers.plan?.(request, plans) ?? toPlanReply(tasks);
      case 'synthesis':
        return answers.synthesis?.(request) ?? toSynthesisReply(request);
      default:
        return answers.task?.(request) ?? 'found';
    }
  });
}
