import type { ReplyRoom } from '../types.ts';
import type { Values } from '../schema-fill.ts';
import type { Directives } from './directives.ts';
import type { Step } from './steps.ts';
import type { TaskPrompt } from './task-prompt.ts';
import type { JsonObject } from '../../provider-host/json.ts';

export interface Call {
  name: string;
  input: JsonObject;
}

/** What the rules decide by: the task, the tool results so far, and the offered tools. */
export interface TaskView {
  task: TaskPrompt;
  /** The description without markers. */
  text: string;
  /** `text` in lower case without quotes, paths and URLs. */
  verbs: string;
  /** Files of the task's list and of its text. */
  files: string[];
  folders: string[];
  globs: string[];
  quoted: string[];
  steps: Step[];
  tools: ReadonlySet<string>;
  directives: Directives;
  /** Ids of the findings of the tasks that this task depends on. */
  buildsOn: string[];
  /** How much the reply may hold. */
  room: ReplyRoom;
}

export interface Answer {
  text: string;
  values: Values;
}

/** How a matching rule does the task. Both functions depend only on the steps so far. */
export interface RuleMatch {
  /** The calls of this turn; empty when the work is done. */
  next(): Call[];
  /** The answer from the steps so far. */
  answer(): Answer;
}

/** The match of a rule with a task, or null for a task that asks for something else. */
export type Rule = (view: TaskView) => RuleMatch | null;
