import type { RouteRow } from '../../../config/model-rows/types.ts';
import type { CatalogEntry } from '../../../pricing/catalog.ts';
import type { Prices } from '../../../pricing/rows/types.ts';
import { renderTable } from '../../output/print.ts';
import { FREE_LOCAL, FREE_LOCAL_RULE } from '../../../pricing/free-local.ts';
import { formatCount } from '../../../text/plural.ts';

/** A model as people look at it. */
export interface ShownModel {
  entry: CatalogEntry;
  /** It is a row of `models.json`. */
  isOwn: boolean;
  /** What this machine lacks to call it; null: nothing. */
  keyProblem: string | null;
}

/** One line a model. Prices in dollars a million tokens. */
export function renderModels(models: readonly ShownModel[]): string {
  const head = ['MODEL', 'VENDOR', 'INPUT', 'OUTPUT', 'CACHED', 'WINDOW', 'REPLY', 'CAN', 'KEY'];
  const rows = models.map(({ entry, isOwn, keyProblem }) => [
    `${entry.id}${isOwn ? ' *' : ''}`,
    entry.vendor,
    ...(entry.isLocal
      ? [FREE_LOCAL, '', '']
      : [toUsd(entry.prices.input), toUsd(entry.prices.output), toUsd(entry.prices.cacheRead)]),
    toShort(entry.contextTokens),
    toShort(entry.maxOutputTokens),
    toAbilities(entry),
    keyProblem === null ? 'yes' : 'no',
  ]);
  return renderTable([head, ...rows], [2, 3, 4, 5, 6]);
}

/** All that is known of one model. */
export function renderModel({ entry, isOwn, keyProblem }: ShownModel): string {
  const { limits, priceStepTokens: step, pricesAboveStep } = entry;
  const given = Object.entries(limits).map(([name, value]) => `${name} ${formatCount(value)}`);
  const above =
    step === null || pricesAboveStep === null
      ? []
      : [['', `above ${formatCount(step)} prompt tokens: ${toPriceText(pricesAboveStep)}`]];
  const peak = [
    ...(entry.peakFactor > 1 ? [['', `${entry.peakFactor} times as much at the hours of its peak`]] : []),
    ...(entry.nowFactor > 1
      ? [['', `${entry.nowFactor} times the usual price: it is at the hours of its peak now`]]
      : []),
  ];
  return renderTable([
    [entry.id, isOwn ? 'of models.json' : 'built in'],
    ['vendor', `${entry.vendor}, called by ${entry.api}${entry.model === entry.id ? '' : ` as ${entry.model}`}`],
    ['address', entry.baseUrl === null ? "the vendor's own" : withoutPassword(entry.baseUrl)],
    ['key', keyProblem ?? 'this machine has it, or needs none'],
    ['window', `${formatCount(entry.contextTokens)} tokens, ${formatCount(entry.maxOutputTokens)} of them a reply`],
    ['price', entry.isLocal ? FREE_LOCAL_RULE : toPriceText(entry.prices)],
    ...above,
    ...peak,
    ['booked to', `cost:${entry.costVendor}`],
    ['abilities', toAbilities(entry) || 'none'],
    ['limits', given.join(', ') || 'what its answers state'],
    ...(entry.since === null ? [] : [['since', entry.since]]),
    ...(entry.until === null ? [] : [['until', entry.until]]),
  ]);
}

/** One line a route, from 1. */
export function renderRoutes(routes: readonly RouteRow[]): string {
  const rows = routes.map(({ kind, minPromptTokens, needs, budget, use }, i) => [
    String(i + 1),
    [
      ...(kind === undefined ? [] : [`kind ${kind.join(', ')}`]),
      ...(minPromptTokens === undefined ? [] : [`from ${formatCount(minPromptTokens)} prompt tokens`]),
      ...(needs === undefined ? [] : [`needs ${needs.join(', ')}`]),
      ...(budget === undefined ? [] : [`budget ${budget}`]),
    ].join('; ') || 'every task',
    use.join(' → '),
  ]);
  return renderTable([['ROUTE', 'TASKS', 'MODELS'], ...rows]);
}

function toAbilities({ abilities }: CatalogEntry): string {
  return Object.entries(abilities)
    .flatMap(([name, has]) => (has ? [name] : []))
    .join(' ');
}

function toPriceText({ input, output, cacheRead, cacheWrite }: Prices): string {
  const cache = `cache ${toUsd(cacheRead)} read, ${toUsd(cacheWrite)} written`;
  return `$${toUsd(input)} input, $${toUsd(output)} output, ${cache}, a million tokens`;
}

/** Dollars a million tokens of nano-dollars a token; all digits that there are, two at least. */
function toUsd(nano: number): string {
  const whole = (nano / 1_000).toFixed(3);
  return whole.endsWith('0') ? whole.slice(0, -1) : whole;
}

function toShort(tokens: number): string {
  return tokens >= 1_000_000 ? `${Number((tokens / 1_000_000).toFixed(2))}M` : `${Math.round(tokens / 1_000)}k`;
}

function withoutPassword(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.search = ''; // it may hold a key
  return url.href;
}
