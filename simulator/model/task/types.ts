import type { Values } from '../schema-fill.ts';
import type { Directives } from './directives.ts';
import type { Step } from './steps.ts';
import type { TaskPrompt } from './task-prompt.ts';
import type { JsonObject } from '../../provider-host/json.ts';

export interface Call {
  name: string;
  input: JsonObject;
}

/** What there is to decide by: the task, what the tools said so far, and which tools there are. */
export interface TaskView {
  task: TaskPrompt;
  /** The description without test markers. */
  text: string;
  /** `text` in lower case without quotes, paths and addresses. */
  verbs: string;
  /** Files the task names, listed or in its text. */
  files: string[];
  folders: string[];
  globs: string[];
  quoted: string[];
  steps: Step[];
  tools: ReadonlySet<string>;
  directives: Directives;
  /** Findings of the tasks it depends on. */
  buildsOn: string[];
  /** Characters that a reply may take. */
  room: number;
}

export interface Answer {
  text: string;
  values: Values;
}

/** One way to do a task. Both functions depend only on the steps done so far. */
export interface RuleMatch {
  /** The calls to make now; none when there is nothing more to find out or do. */
  next(): Call[];
  /** What the steps so far showed. */
  answer(): Answer;
}

/** The match of a rule with a task, or null for a task that asks for something else. */
export type Rule = (view: TaskView) => RuleMatch | null;
