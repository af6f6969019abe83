import { requireWorkspace, requireWritable, ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from '../files/safe-path.ts';
import { readWhole } from '../files/text-file.ts';
import type { ToolContext, ToolOutcome } from '../tool.ts';
import type { Transformed } from './transform.ts';
import { type Change, writeInside } from '../files/write-inside.ts';

/** Largest file that is transformed or replaced. Bytes. */
const FILE_LIMIT = { cap: 16 * 1024 * 1024, advice: 'split it into smaller files' };

export interface Source {
  content: Uint8Array | string;
  /** The file, or `data`, for messages. */
  name: string;
  seen: Record<string, string>;
}

/** @throws ToolRefusal unless exactly one of `file` and `data` is given, and the task may read the file */
export async function loadSource(
  { file, data }: { file?: string | undefined; data?: string | undefined },
  context: ToolContext,
): Promise<Source> {
  if ((file === undefined) === (data === undefined)) throw new ToolRefusal('expected either "file" or "data"');
  if (file === undefined) return { content: data ?? '', name: 'data', seen: {} };
  const inside = requireWorkspace(context);
  const path = await resolveInside(file, inside);
  const content = await readWhole(inside.workspace.root, path, FILE_LIMIT);
  if (content === null) throw new ToolRefusal(`${JSON.stringify(file)}: no such file`);
  return { content: content.bytes, name: JSON.stringify(file), seen: { [path]: content.sha256 } };
}

/** Returns the result to the model, or writes it to a file by the rules of `write`. */
export async function deliver(
  { text, said }: Transformed,
  outFile: string | undefined,
  source: Source,
  context: ToolContext,
): Promise<ToolOutcome> {
  if (outFile === undefined) return { content: text, isError: false, seen: source.seen };
  const inside = await requireWritable(context);
  const path = await resolveInside(outFile, inside);
  const seen = new Map([...inside.state.seen, ...Object.entries(source.seen)]); // the source was just read, so the result may replace it
  const change = (): Change => ({
    content: text,
    said: `wrote ${Buffer.byteLength(text)} bytes to ${outFile}: ${said}`,
    isExact: true, // a line end inside a cell is data
  });
  const written = await writeInside(path, { ...inside, state: { ...inside.state, seen } }, change, FILE_LIMIT);
  return { ...written, seen: { ...source.seen, ...written.seen } };
}
