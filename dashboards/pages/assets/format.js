export function usd(nano, decimals = 4) {
  return `${nano < 0 ? '-' : ''}$${(Math.abs(nano) / 1e9).toFixed(decimals)}`;
}

/** Formats the cost of one finding, US dollars; null: it has no cost. */
export function findingCost(cost) {
  return cost === null ? '–' : `$${cost.toFixed(6)}`;
}

export function count(number) {
  return new Intl.NumberFormat('en-US').format(number);
}

export function percent(share) {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}

export function queuePath(queue, state) {
  return `/queues/queue/${encodeURIComponent(queue)}${state === undefined ? '' : `?status=${state}`}`;
}

export function jobPath(queue, id) {
  return `${queuePath(queue)}/${encodeURIComponent(id)}`;
}
