import { dirname, extname } from 'node:path';
import type { TaskInput } from '../../queues/tasks.ts';
import { UsageError } from '../errors.ts';
import { DEMO_WORKSPACE } from './demo-fleet.ts';
import { findDefinedName, surveyFolder, type SurveyedFile } from './survey-folder.ts';

/** What is asked about a folder: the first round independent of each other, the last one about what they found. */
export interface DemoTasks {
  fileCount: number;
  first: TaskInput[];
  last: TaskInput;
}

/** Chooses tasks that fit what is in the folder. They read; none of them writes. @throws UsageError for a folder without text files */
export function chooseTasks(root: string): DemoTasks {
  const files = surveyFolder(root);
  const [largest] = files;
  if (largest === undefined) throw new UsageError(`${root}: no text files to work on; name another folder`);
  const described = pickFromDifferentFolders(files, 3);
  const extension = mostCommonExtension(files);
  const defined = findDefinedName(root, files);
  const folder = files.map(({ path }) => dirname(path)).find((path) => path !== '.');
  const counted = files.slice(0, 4).map(({ path }) => path);
  const first: TaskInput[] = [
    ...described.map(({ path }) => task('docs', `Summarise ${path}: what is it for, and what does it define?`, [path])),
    task('analysis', 'Count the lines of each of these files.', counted, { schema: LINES_SCHEMA }),
    task('search', `List the files matching **/*${extension}`),
    task('search', 'Count the TODO comments in all files.'),
  ];
  if (folder !== undefined) first.push(task('docs', `Describe the folder ${folder}/`));
  if (defined !== null) first.push(task('search', `Find where "${defined.name}" is used.`));
  const topic = described[0]?.path ?? largest.path;
  return { fileCount: files.length, first, last: task('analysis', `What do earlier findings say about ${topic}?`) };
}

const LINES_SCHEMA: NonNullable<TaskInput['schema']> = {
  type: 'object',
  properties: { lines: { type: 'integer' }, summary: { type: 'string' } },
  required: ['lines', 'summary'],
};

function task(kind: TaskInput['kind'], description: string, files?: string[], more?: Partial<TaskInput>): TaskInput {
  return { kind, description, workspace: DEMO_WORKSPACE, ...(files === undefined ? {} : { files }), ...more };
}

function pickFromDifferentFolders(files: SurveyedFile[], count: number): SurveyedFile[] {
  const seen = new Set<string>();
  const fresh = files.filter(({ path }) => {
    const isNew = !seen.has(dirname(path));
    seen.add(dirname(path));
    return isNew;
  });
  return [...fresh, ...files.filter((file) => !fresh.includes(file))].slice(0, count);
}

function mostCommonExtension(files: SurveyedFile[]): string {
  const counts = new Map<string, number>();
  for (const { path } of files) counts.set(extname(path), (counts.get(extname(path)) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}
