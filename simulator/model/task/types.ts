import type { Values } from '../schema-fill.ts';
import type { Directives } from '../directives.ts';
import type { Step } from './steps.ts';
import type { TaskPrompt } from './task-prompt.ts';
import type { JsonObject } from '../../provider-host/json.ts';

export interface Call {
  name: string;
  input: JsonObject;
}

/** What there is to decide by: the task, what the tools said so far, and which tools there are. */
export interface Scene {
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

/** One way to do a task. Both functions look at the steps done so far and nothing else. */
export interface Intent {
  /** The calls to make now; none when there is nothing more to find out or do. */
  next(): Call[];
  /** What the steps so far showed. */
  answer(): Answer;
}

/** An intent for this task, or null if it asks for something else. */
export type IntentRule = (scene: Scene) => Intent | null;
