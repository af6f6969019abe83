import { cpus, totalmem } from 'node:os';
import type { Redis } from 'ioredis';
import { renderTable } from '../output/print.ts';
import type { Measured } from './types.ts';

/** What was measured, and on what. */
export interface BenchReport {
  name: 'redis' | 'spawn';
  /** UTC instant. */
  at: string;
  machine: string;
  measured: Measured[];
}

/** `4 × Some CPU, 16 GB, linux x64, Node 20.1.0, Redis 7.2.0`. @param redis null: of the fleet's own server */
export async function describeMachine(redis: Redis | null): Promise<string> {
  const all = cpus();
  const version = redis === null ? null : /redis_version:(\S+)/.exec(await redis.info('server'))?.[1];
  return [
    `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    `${Math.round(totalmem() / 2 ** 30)} GB`,
    `${process.platform} ${process.arch}`,
    `Node ${process.versions.node}`,
    ...(version ? [`Redis ${version}`] : []),
  ].join(', ');
}

export function renderReport({ machine, measured }: BenchReport): string {
  const rows = measured.map((one) => toCells(one));
  return [machine, '', renderTable([['', 'p50', 'p99', 'times'], ...rows], [1, 2, 3]), ...toNotes(measured)].join('\n');
}

/** A page of Markdown, with the command that makes it anew. */
export function toMarkdown({ name, at, machine, measured }: BenchReport): string {
  const lines = measured.map((one) => `| ${toCells(one).join(' | ')} |`);
  return [
    `# fleet bench ${name}`,
    '',
    `\`fleet bench ${name} --save FOLDER\` wrote this page at ${at.slice(0, 16).replace('T', ' ')} UTC, on ${machine}.`,
    '',
    '| measured | p50 | p99 | times |',
    '|---|---|---|---|',
    ...lines,
    '',
    ...toNotes(measured).map((note) => `${note}\n`),
  ].join('\n');
}

/** What was not measured, and why. */
function toNotes(measured: readonly Measured[]): string[] {
  return measured.flatMap(({ name, missing }) => (missing === undefined ? [] : [`${name}: ${missing}`]));
}

function toCells({ name, unit, count, p50, p99, missing }: Measured): string[] {
  if (missing !== undefined) return [name, '–', '–', '0'];
  const digits = unit === 'ms' ? 3 : 0;
  const show = (value: number | null): string => (value === null ? '–' : `${value.toFixed(digits)} ${unit}`);
  return [name, show(p50), show(p99), String(count)];
}
