import { toAddress } from './base.js';

export function usd(nano, decimals = 4) {
  return `${nano < 0 ? '-' : ''}$${(Math.abs(nano) / 1e9).toFixed(decimals)}`;
}

/** An amount that a person set: with as many decimals as it has, but at least `least`. */
export function exactUsd(nano, least = 4) {
  const exact = usd(nano, 9);
  const end = exact.length - 9 + least;
  return exact.slice(0, end) + exact.slice(end).replace(/0+$/, '');
}

/** What many calls cost, in the words of `src/pricing/free-local.ts`. A test compares the two. */
export function spent(nano, decimals, freeLocal = 0) {
  if (freeLocal === 0) return usd(nano, decimals);
  if (nano === 0) return 'free-local';
  return `${usd(nano, decimals)} and ${count(freeLocal)} ${freeLocal === 1 ? 'call' : 'calls'} free-local`;
}

/** Formats the cost of one finding, US dollars; null: it has no cost. `isFreeLocal`: its model costs nothing a token. */
export function findingCost(cost, isFreeLocal = false) {
  if (isFreeLocal && cost === 0) return 'free-local';
  return cost === null ? '–' : `$${cost.toFixed(6)}`;
}

export function count(number) {
  return new Intl.NumberFormat('en-US').format(number);
}

export function percent(share) {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}

export function queuePath(queue, state) {
  return toAddress(`/queues/queue/${encodeURIComponent(queue)}${state === undefined ? '' : `?status=${state}`}`);
}

export function missionPath(id) {
  return toAddress(`/missions/${encodeURIComponent(id)}`);
}

export function batchPath(name) {
  return toAddress(`/batches/${encodeURIComponent(name)}`);
}

/** The page of a task, question or mission, with its timeline. */
export function taskPath(id) {
  return toAddress(`/tasks/${encodeURIComponent(id)}`);
}

/** The job in Bull Board. */
export function jobPath(queue, id) {
  return `${queuePath(queue)}/${encodeURIComponent(id)}`;
}
