/** Seed of a random test: `FLEET_TEST_SEED`, else a new one. It is printed, so that a run can be repeated. */
export function takeSeed(what: string): number {
  const seed = Number(process.env['FLEET_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${what}: FLEET_TEST_SEED=${seed}`);
  return seed;
}

/** mulberry32. @returns whole numbers `low..high`, both included */
export function createRandom(seed: number): (low: number, high: number) => number {
  let state = seed >>> 0;
  return (low, high) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return low + Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (high - low + 1));
  };
}
